import { join } from 'node:path';
import { conclude } from '../debian.ts';
import { compareCluster } from './cluster.ts';
import { type Compared, compareDags } from './dags.ts';
import { compareRuns } from './drive.ts';
import { type Installed, installAirflow, versions } from './install.ts';
import { compareApi, compareTasks } from './jobs.ts';
import { compareProvider } from './provider.ts';
import { compareTrigger } from './trigger.ts';

/** `npm run test:airflow`: Epsilon beside real Apache Airflow, of each version that is supported. */
const folder = join('infra', 'airflow', 'dags');

const parts: readonly (readonly [string, (installed: Installed) => Compared | Promise<Compared>])[] = [
  ['DAGs', (installed) => compareDags(installed, folder)],
  ['runs', compareRuns],
  ['cluster', compareCluster],
  ['API', compareApi],
  ['tasks', compareTasks],
  ['trigger', compareTrigger],
  ['provider', compareProvider],
];

const faults: string[] = [];
let compared = 0;
/** Words of the command line: versions, and parts by the beginning of their names; all of them where none is named. */
const asked = process.argv.slice(2);
const isVersion = (word: string) => versions.some((version) => version === word);
const askedParts = asked.filter((word) => !isVersion(word));
const wanted = parts.filter(
  ([what]) => askedParts.length === 0 || askedParts.some((word) => what.startsWith(word)),
);
for (const version of versions.filter((one) => !asked.some(isVersion) || asked.includes(one))) {
  const begun = Date.now();
  const installed = installAirflow(version);
  const named = installed.packages.filter((line) =>
    /^apache-airflow-providers-(amazon|cncf-kubernetes)==/.test(line),
  );
  process.stdout.write(`Airflow ${version}, ${named.join(', ')}: ready after ${Date.now() - begun} ms\n`);
  for (const [what, compare] of wanted) {
    const found = await compare(installed);
    compared += found.compared;
    faults.push(...found.faults);
    process.stdout.write(
      `  ${what}: ${found.compared - found.faults.length} of ${found.compared} facts agree\n`,
    );
  }
}
conclude(compared, faults);
