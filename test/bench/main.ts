import { benchAws } from './aws.ts';
import { benchBundles } from './bundles.ts';
import { benchCli } from './cli.ts';
import { benchEngine } from './engine.ts';
import { benchForecast } from './forecast.ts';
import { benchHouse } from './house.ts';
import { benchKubernetes } from './kubernetes.ts';
import { benchMap } from './map.ts';
import { benchNight } from './night.ts';
import { benchQuality } from './quality/quality.ts';
import { benchRetention } from './retention.ts';
import { benchScaling } from './scaling.ts';
import { benchScrape } from './scrape.ts';
import { benchSearch } from './search/search.ts';
import { benchSpot } from './spot.ts';
import { benchWorkload } from './workload.ts';

/** Benchmarks by name; each prints figures, never a verdict. */
const benches: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  night: benchNight,
  engine: benchEngine,
  map: benchMap,
  bundles: benchBundles,
  aws: benchAws,
  spot: benchSpot,
  kubernetes: benchKubernetes,
  workload: benchWorkload,
  cli: benchCli,
  forecast: benchForecast,
  house: benchHouse,
  retention: benchRetention,
  scaling: benchScaling,
  quality: benchQuality,
  search: benchSearch,
  scrape: benchScrape,
};

/** Options that the word after them belongs to. */
const withValue = new Set([
  '--size',
  '--epochs',
  '--max-tokens',
  '--m4',
  '--nab',
  '--tenants',
  '--house',
  '--only',
]);

const asked = process.argv
  .slice(2)
  .filter((word, at, words) => !word.startsWith('--') && !withValue.has(words[at - 1] ?? ''));
const unknown = asked.find((name) => !Object.hasOwn(benches, name));
if (unknown !== undefined) {
  process.stderr.write(`There is no benchmark "${unknown}" (known: ${Object.keys(benches).join(', ')}).\n`);
  process.exitCode = 2;
} else {
  const figures: Record<string, unknown> = {};
  for (const [name, run] of Object.entries(benches)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    process.stderr.write(`${name} ...\n`);
    figures[name] = await run();
  }
  const round = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  process.stdout.write(
    `${JSON.stringify({ schemaVersion: 1, node: process.version, ...figures }, round, 2)}\n`,
  );
}
