import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stageNames } from '../../../lib/training/stages.ts';
import { freshDir } from '../../fresh-dir.ts';
import { addTenants, type Expect, jobsOf, nightMs } from './night.ts';
import { python } from './workloads.ts';

/** Bounds of a night beside the same commands in a shell, and of its own time for each stage. */
const mostFactor = 1.05;
const mostOwnSeconds = 0.5;

const names = ['acme', 'beta', 'gamma'];
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The jobs of a night as a shell script: stage after stage, deploy and cache side by side, as the machine has them. */
function scriptOf(stateDir: string, objects: string): string {
  const jobs = jobsOf(stateDir);
  const lines = names.flatMap((tenantId) =>
    stageNames.map((stage) => {
      const job = jobs.find((one) => one.tenantId === tenantId && one.stage === stage);
      const env = {
        ...job?.environment,
        PATH: process.env['PATH'] ?? '',
        EPSILON_OBJECTS_ROOT: objects,
        EPSILON_RESULT_PATH: join(objects, `${tenantId}-${stage}.json`),
      };
      const words = Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`));
      const line = `env -i ${words.join(' ')} ${python} pytorch.py ${(job?.arguments ?? []).map(quoted).join(' ')} > /dev/null`;
      if (stage === 'deploy') return `${line} &`;
      return stage === 'cache' ? `${line}\nwait` : line;
    }),
  );
  return `set -e\ncd ${quoted(resolve('examples/python'))}\n${lines.join('\n')}\n`;
}

/** A night of three tenants, one after the other, beside the same commands in a shell; both twice, the faster counts. */
export async function compareWithShell(expect: Expect): Promise<void> {
  let [night, shell] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 2; round += 1) {
    const stateDir = join(freshDir(), 'state');
    await addTenants(stateDir, names, 60);
    night = Math.min(night, await nightMs(stateDir));
    const objects = freshDir();
    mkdirSync(objects, { recursive: true });
    const script = join(freshDir(), 'night.sh');
    writeFileSync(script, scriptOf(stateDir, objects));
    const began = performance.now();
    execFileSync('/bin/sh', [script]);
    shell = Math.min(shell, performance.now() - began);
  }
  const own = (night - shell) / 1000 / (names.length * stageNames.length);
  const said = `night ${(night / 1000).toFixed(2)} s, shell ${(shell / 1000).toFixed(2)} s: ${(night / shell).toFixed(3)} times, ${own.toFixed(3)} s a stage`;
  expect(
    `${said} (at most ${mostFactor} times and ${mostOwnSeconds} s)`,
    night <= shell * mostFactor && own <= mostOwnSeconds,
  );
}
