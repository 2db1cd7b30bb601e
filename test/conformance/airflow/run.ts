import { join } from 'node:path';
import { conclude } from '../debian.ts';
import { compareDags } from './dags.ts';
import { compareRuns } from './drive.ts';
import { installAirflow, versions } from './install.ts';

/** `npm run test:airflow`: Epsilon beside real Apache Airflow, of each version that is supported. */
const folder = join('infra', 'airflow', 'dags');

const faults: string[] = [];
let compared = 0;
for (const version of versions) {
  const begun = Date.now();
  const installed = installAirflow(version);
  const named = installed.packages.filter((line) =>
    /^apache-airflow-providers-(amazon|cncf-kubernetes)==/.test(line),
  );
  process.stdout.write(`Airflow ${version}, ${named.join(', ')}: ready after ${Date.now() - begun} ms\n`);
  const read = compareDags(installed, folder);
  compared += read.compared;
  faults.push(...read.faults);
  process.stdout.write(`  DAGs: ${read.compared - read.faults.length} of ${read.compared} facts agree\n`);
  const runs = await compareRuns(installed);
  compared += runs.compared;
  faults.push(...runs.faults);
  process.stdout.write(`  runs: ${runs.compared - runs.faults.length} of ${runs.compared} facts agree\n`);
}
conclude(compared, faults);
