import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { conclude } from '../conformance/debian.ts';

/**
 * `npm run test:compat`: the version before, checked out beside this one, reads records, events and the state directory that this one wrote,
 * trains on them, and the reverse. A release that is taken back meets all three.
 */

/** The version that releases may be taken back to; moved by each release. */
const before = '7013b272c05b69756c93d002e6a0dfc288d288ab';

type Json = Record<string, unknown>;

const place = mkdtempSync(join(tmpdir(), 'epsilon-compat-'));
const now = resolve('.');
const then = join(place, 'before');
const faults: string[] = [];
let compared = 0;

function check(what: string, holds: boolean, told = ''): void {
  compared += 1;
  process.stdout.write(`${holds ? 'ok' : 'FAULT'} ${what}\n`);
  if (!holds) faults.push(`${what} ${told}`.trim());
}

const nameOf = (project: string) => (project === now ? 'this version' : 'the version before');

/** A command of a version on a state directory; its answer as JSON, or its error. */
function epsilon(
  project: string,
  state: string,
  ...words: string[]
): { ok: boolean; answer: Json; said: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['cli/epsilon.js', '--json', '--state-dir', state, ...words],
    { cwd: project, encoding: 'utf8', timeout: 600_000 },
  );
  const line = stdout.trim();
  return {
    ok: status === 0,
    answer: line === '' ? {} : (JSON.parse(line) as Json),
    said: stderr.slice(-600),
  };
}

/** What `reader` knows is as `writer` has it; a version after the other knows everything that the other wrote. */
function within(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null || typeof whole !== 'object' || whole === null)
    return isDeepStrictEqual(part, whole);
  return Object.entries(part).every(([key, value]) => within(value, (whole as Json)[key]));
}

/** A night by one version; the other one reads it, trains on it and answers of it; the first one reads that. */
function stateDirectory(writer: string, reader: string): void {
  const [one, other] = [nameOf(writer), nameOf(reader)];
  const state = mkdtempSync(join(place, 'state-'));
  for (const tenant of ['acme', 'beta'])
    epsilon(writer, state, 'tenants', 'add', tenant, '--documents', join(now, 'docs'));
  const night = epsilon(writer, state, 'run', 'nightly-training');
  check(`${one} trains a night of two tenants`, night.ok, night.said);
  for (const words of [
    ['tenants', 'list'],
    ['executions'],
    ['models', 'list', 'acme'],
    ['audit'],
    ['images', 'list'],
  ]) {
    const [wrote, read] = [epsilon(writer, state, ...words), epsilon(reader, state, ...words)];
    const whole = Object.keys(wrote.answer).length > 0 && Object.keys(read.answer).length > 0;
    const same = within(read.answer, wrote.answer) || within(wrote.answer, read.answer);
    check(
      `${other} reads ${words.join(' ')} as ${one} does`,
      wrote.ok && read.ok && whole && same,
      read.said,
    );
  }
  const question = epsilon(
    reader,
    state,
    'query',
    '--tenant',
    'acme',
    'what happens to a job whose instance is reclaimed?',
  );
  check(`${other} answers a question by the model of ${one}`, question.ok, question.said);
  const trained = epsilon(reader, state, 'run', 'tenant-model-training', '--tenant', 'acme');
  check(`${other} trains a tenant of ${one}`, trained.ok, trained.said);
  const models = epsilon(writer, state, 'models', 'list', 'acme');
  const known = (models.answer['models'] as unknown[] | undefined)?.length;
  check(
    `${one} knows the model that ${other} made of its tenant`,
    models.ok && known === 2,
    `${known} ${models.said}`,
  );
  const back = epsilon(writer, state, 'models', 'rollback', 'acme');
  check(`${one} takes that model back`, back.ok, back.said);
}

/** The table's items: one of each kind, written by one version and read by both. */
function table(writer: string, reader: string): void {
  const ask = (project: string, act: string, input = '') =>
    execFileSync(process.execPath, ['test/compat/table.ts', act], { cwd: project, input, encoding: 'utf8' });
  const calls = ask(writer, 'write');
  const [wrote, read] = [writer, reader].map((project) => JSON.parse(ask(project, 'read', calls)) as Json);
  for (const kind of Object.keys(wrote ?? {}))
    check(
      `${nameOf(reader)} reads the ${kind} that ${nameOf(writer)} wrote into the table`,
      wrote?.[kind] !== undefined && (within(read?.[kind], wrote[kind]) || within(wrote[kind], read?.[kind])),
      JSON.stringify([wrote?.[kind], read?.[kind]]),
    );
}

/** Events that one version keeps samples of, in the suite with which the other one parses its own. */
function events(writer: string, reader: string): void {
  const samples = 'events/samples';
  const known = new Set(readdirSync(join(reader, samples)));
  const folder = mkdtempSync(join(place, 'events-'));
  execFileSync('cp', ['-r', join(reader, samples), folder]);
  // What a schedule gives its machine belongs to the version that is deployed with it; events are still on their way when it changes.
  const taken = readdirSync(join(writer, samples)).filter(
    (file) => known.has(file) && !file.startsWith('schedule-'),
  );
  for (const file of taken) copyFileSync(join(writer, samples, file), join(reader, samples, file));
  try {
    const { status, stdout } = spawnSync('npx', ['vitest', 'run', 'test/events'], {
      cwd: reader,
      encoding: 'utf8',
      timeout: 600_000,
    });
    check(
      `${nameOf(reader)} parses ${taken.length} events of ${nameOf(writer)}`,
      status === 0,
      stdout.slice(-1_500),
    );
  } finally {
    execFileSync('cp', ['-r', join(folder, 'samples'), join(reader, 'events')]);
  }
}

/** Both versions, each as writer and as reader. */
function compare(): void {
  execFileSync('git', ['worktree', 'add', '--quiet', '--detach', then, before]);
  symlinkSync(join(now, 'node_modules'), join(then, 'node_modules'));
  mkdirSync(join(then, 'test/compat'), { recursive: true });
  copyFileSync('test/compat/table.ts', join(then, 'test/compat/table.ts'));
  for (const [writer, reader] of [
    [now, then],
    [then, now],
  ] as const) {
    table(writer, reader);
    stateDirectory(writer, reader);
  }
  // Of this version's samples only: that of before are in the history of the same suite, and nothing in this checkout is written over.
  events(now, then);
}

const isHere = spawnSync('git', ['cat-file', '-e', `${before}^{commit}`]).status === 0;
try {
  if (isHere) compare();
} finally {
  spawnSync('git', ['worktree', 'remove', '--force', then]);
  rmSync(place, { recursive: true, force: true });
}
conclude(
  compared,
  faults,
  isHere ? undefined : `this clone does not have ${before}; fetch the whole history`,
);
