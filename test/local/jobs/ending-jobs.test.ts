import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { processesWith } from '../../../local/host/processes.ts';
import { aRunner, aSpec, expectNothingLeft, scripts } from './runner-harness.ts';

afterEach(expectNothingLeft);

describe('the end of a job of this host', () => {
  it.each([
    [`head -c 5000 /dev/zero | tr '\\0' x > "$RESULT"`, 'RESULT_TOO_LARGE'],
    [`echo '{' > "$RESULT"`, 'RESULT_NOT_JSON'],
    [`echo '[1]' > "$RESULT"`, 'RESULT_NOT_JSON'],
    ['mkfifo "$RESULT"', 'RESULT_MISSING'],
    ['true', 'RESULT_MISSING'],
  ])(
    'a job that leaves no valid result (%s) is observed without one, and the fault has the code %s',
    async (script, code) => {
      const { runner, ended } = aRunner();
      await runner.submit(aSpec('result-1', script));
      const observation = await ended('result-1');
      expect(observation).toMatchObject({
        state: 'succeeded',
        resultFault: expect.stringContaining(`${code}: `),
      });
      expect(observation).not.toHaveProperty('result');
      runner.close();
    },
  );

  it('a job whose first process does not pass SIGTERM on loses its checkpoint here as on the cluster, and nothing is left', async () => {
    const { runner, root, ended } = aRunner();
    const worker = `trap 'echo heard > ${root}/heard; exit 143' TERM; touch ${root}/ready; while :; do sleep 0.05; done`;
    const ref = await runner.submit(aSpec('wrapped-1', `sh -c '${worker.replaceAll("'", `'\\''`)}' & wait`));
    while (!existsSync(join(root, 'ready'))) await new Promise<void>((resolve) => setImmediate(resolve));
    await runner.cancel(ref, 'enough');
    expect(await ended('wrapped-1')).toMatchObject({
      reason: 'cancelled',
      exitCode: 143,
      message: expect.stringContaining('behind, which'),
    });
    expect(existsSync(join(root, 'heard'))).toBe(false);
    runner.close();
  });

  it('a job that leaves processes in other groups and sessions succeeds, and they are killed before it is over', async () => {
    const { runner, root, ended } = aRunner();
    const left = `setsid sleep 71 & (setsid sh -c "sleep 72 & sleep 73" &) ; sleep 74 & ${scripts.succeeds}`;
    await runner.submit(aSpec('leaves-1', left));
    expect(await ended('leaves-1')).toMatchObject({
      state: 'succeeded',
      message: expect.stringMatching(/^it left \d processes behind, which were killed$/),
    });
    expect(processesWith(`EPSILON_PROGRESS_PATH=${join(root, 'leaves-1', 'progress.jsonl')}`)).toEqual([]);
    runner.close();
  });
});
