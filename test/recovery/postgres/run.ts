import { existsSync } from 'node:fs';
import { conclude, installPackage, works } from '../../conformance/debian.ts';
import { provokeFaults } from './faults.ts';
import { program } from './place.ts';
import { archiveRpoMs } from './provoked.ts';
import { drillRound, type Mode, type Round } from './round.ts';

/**
 * `npm run test:recovery:postgres`: a real PostgreSQL 15 with pgBackRest is killed and restored, five times with the log archived and five
 * times with it streamed, and then with faults. `--rounds 5 --megabytes 100`; `--sizes 1000` adds a round of each size, streamed.
 */
const option = (name: string, otherwise: string) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
};

/** Writes go on for so long before the kill; longer than a segment waits for its archiving. */
const writeMs = () => 6_500 + Math.floor(Math.random() * 3_000);

function wrongWith({ mode, acknowledged, lost, rpoMs, rtoMs, bytes, faults }: Round): string[] {
  const goal = 60_000 * Math.max(1, bytes / 1e9);
  return [
    ...faults,
    ...(acknowledged > 0 ? [] : ['nothing was acknowledged']),
    ...(mode === 'streaming' && lost > 0 ? [`${lost} acknowledged commits were lost`] : []),
    ...(mode === 'archive' && rpoMs > archiveRpoMs
      ? [`${rpoMs} ms were lost, ${archiveRpoMs} are allowed`]
      : []),
    ...(rtoMs > goal ? [`it took ${rtoMs} ms, the goal is ${goal}`] : []),
  ];
}

async function drill(): Promise<void> {
  const rounds: Round[] = [];
  const wrong: string[] = [];
  let checked = 0;
  const round = async (mode: Mode, megabytes: number) => {
    checked += 1;
    try {
      const done = await drillRound(mode, megabytes, writeMs());
      rounds.push(done);
      wrong.push(...wrongWith(done).map((why) => `${mode}, ${megabytes} MB: ${why}`));
      process.stdout.write(`${JSON.stringify(done)}\n`);
    } catch (error) {
      wrong.push(`${mode}, ${megabytes} MB, did not come to its end: ${(error as Error).message}`);
    }
  };
  for (const mode of ['archive', 'streaming'] as const)
    for (let n = 0; n < Number(option('rounds', '5')); n += 1)
      await round(mode, Number(option('megabytes', '100')));
  for (const size of option('sizes', '').split(',').filter(Boolean)) await round('streaming', Number(size));
  await provokeFaults((provoked) => {
    checked += 1;
    process.stdout.write(`${JSON.stringify(provoked)}\n`);
    if (provoked.wrong !== undefined) wrong.push(`${provoked.fault}, ${provoked.what}: ${provoked.wrong}`);
  });
  const worst = (mode: Mode, figure: (round: Round) => number) =>
    Math.max(...rounds.filter((one) => one.mode === mode).map(figure));
  const figures = Object.fromEntries(
    (['archive', 'streaming'] as const).map((mode) => [
      mode,
      {
        worstRtoMs: worst(mode, ({ rtoMs }) => rtoMs),
        worstRpoMs: worst(mode, ({ rpoMs }) => rpoMs),
        lost: worst(mode, ({ lost }) => lost),
      },
    ]),
  );
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  conclude(checked, wrong);
}

const missing =
  installPackage('postgresql-15', () => existsSync(program('postgres'))) ??
  installPackage('pgbackrest', () => works('pgbackrest', 'version'));
if (missing !== undefined) conclude(0, [], missing);
else await drill();
