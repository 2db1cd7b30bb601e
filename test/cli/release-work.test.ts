import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { workOn } from '../../cli/release/work.ts';
import type { Session } from '../../cli/session.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { openActOf, type Release, withAct, withAnswer } from '../../lib/release/release.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { aRelease } from '../fixtures/records.ts';
import { freshDir } from '../fresh-dir.ts';

const at = '2026-11-24T02:00:00.000Z';

/** A release whose acts a machine asks for one after the other. */
function machine(...asked: readonly (readonly ['move' | 'smoke', 'staging' | 'production'])[]) {
  let release: Release = aRelease({
    replaces: { releaseId: 'zero', commit: '0'.repeat(40), images: { smoke: 's' } },
  });
  const left = [...asked];
  const next = () => {
    const act = left.shift();
    release = act
      ? withAct(release, { kind: act[0], environment: act[1], at })
      : { ...release, outcome: 'kept' };
  };
  next();
  const control = {
    releases: {
      get: async () => release,
      beat: async () => true,
      answer: async ({ act, outcome, said }: Parameters<OperatorApi['releases']['answer']>[0]) => {
        release = withAnswer(release, act, { answeredAt: at, outcome, said });
        next();
        return release;
      },
    },
    workflows: { describe: async () => ({ status: 'RUNNING' }) },
  } as unknown as OperatorApi;
  return { control, now: () => release };
}

/** A program of this body, and what it wrote. */
function program(body: string) {
  const folder = freshDir();
  const file = join(folder, 'act');
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const written: string[] = [];
  const session = {
    clock: new SystemClock(),
    output: { warn: (text: string) => written.push(text) },
    signal: new AbortController().signal,
    target: { kind: 'local' },
  } as unknown as Session;
  return { file, session, written };
}

const where = (environment: 'staging' | 'production', file: string) => ({
  releaseId: 'one',
  environment,
  program: file,
});

it('acts are done by the program, which is told what is released, until the release goes on elsewhere', async () => {
  const { control, now } = machine(['move', 'staging'], ['smoke', 'staging'], ['move', 'production']);
  const { file, session } = program(
    'echo "$1 $2 $RELEASE_COMMIT $(wc -l < "$RELEASE_IMAGES") $RELEASE_REPLACES $(cat "$RELEASE_REPLACES_IMAGES")" >&2',
  );
  await workOn(session, control, where('staging', file));
  expect(now().acts.map(({ outcome, said }) => `${outcome} ${said}`)).toEqual([
    `done move staging ${'c'.repeat(40)} 3 ${'0'.repeat(40)} smoke s`,
    `done smoke staging ${'c'.repeat(40)} 3 ${'0'.repeat(40)} smoke s`,
    'undefined undefined',
  ]);
  expect(openActOf(now())).toMatchObject({ environment: 'production' });
});

it.each([
  ['echo "it was aborted" >&2; exit 1', 'it was aborted'],
  ['exit 3', ''],
])('act whose program is %j has failed, with its last line', async (body, said) => {
  const { control, now } = machine(['move', 'production']);
  const { file, session } = program(body);
  expect(await workOn(session, control, where('production', file))).toMatchObject({ outcome: 'kept' });
  expect(now().acts).toMatchObject([{ outcome: 'failed', said }]);
});

it('act whose program is not there has failed, and says so', async () => {
  const { control, now } = machine(['move', 'production']);
  await workOn(program('').session, control, where('production', '/nowhere/act'));
  expect(now().acts).toMatchObject([{ outcome: 'failed', said: expect.stringContaining('ENOENT') }]);
});
