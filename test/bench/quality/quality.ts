import { benchDataset } from './dataset.ts';
import { benchLoad } from './load.ts';
import { benchM4Alarms } from './m4-alarms.ts';
import { benchNab } from './nab.ts';
import { benchPower, benchSilence } from './power.ts';

/** The word after an option. */
function optionOf(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

const parts = ['load', 'silence', 'power', 'dataset', 'm4', 'nab'] as const;

type Part = (typeof parts)[number];

/** The parts that are asked for. Throws for a name that is none. */
function partsOf(only: string | undefined): readonly Part[] {
  if (only === undefined) return parts;
  return only.split(',').map((name) => {
    const part = parts.find((each) => each === name);
    if (part === undefined) throw new Error(`--only ${name}: the parts are ${parts.join(', ')}.`);
    return part;
  });
}

/** `npm run bench -- quality [--only PART,...] [--nab DIR] [--m4 DIR] [--tenants N]`; simulated tenants are 2,000 over 90 days. */
export async function benchQuality(): Promise<Record<string, unknown>> {
  const [nab, m4] = [optionOf('--nab'), optionOf('--m4')];
  const measure: Readonly<Record<Part, () => unknown>> = {
    load: () => benchLoad(Number(optionOf('--tenants') ?? 10_000)),
    silence: () => benchSilence(2_000, 90),
    power: () => benchPower(50),
    dataset: benchDataset,
    m4: () =>
      m4 === undefined
        ? 'not measured (--m4 DIR with Hourly-train.csv and Hourly-test.csv)'
        : benchM4Alarms(m4),
    nab: () => (nab === undefined ? 'not measured (--nab DIR, a checkout of numenta/NAB)' : benchNab(nab)),
  };
  const found: Record<string, unknown> = {};
  for (const part of partsOf(optionOf('--only'))) found[part] = await measure[part]();
  return found;
}
