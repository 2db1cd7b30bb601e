import { benchDataset } from './dataset.ts';
import { benchLoad } from './load.ts';
import { benchNab } from './nab.ts';
import { benchPower, benchSilence } from './power.ts';

/** The word after an option. */
function optionOf(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** `npm run bench -- quality [--nab DIR] [--tenants N]`; simulated tenants are 2,000 over 90 days. */
export async function benchQuality(): Promise<Record<string, unknown>> {
  const nab = optionOf('--nab');
  return {
    load: await benchLoad(Number(optionOf('--tenants') ?? 10_000)),
    silence: benchSilence(2_000, 90),
    power: benchPower(50),
    dataset: await benchDataset(),
    nab: nab === undefined ? 'not measured (--nab DIR, a checkout of numenta/NAB)' : benchNab(nab),
  };
}
