import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshDir } from '../fresh-dir.ts';
import { openWorkload } from './harness.ts';

/** Documents whose words are rare enough that an epoch takes many slices. */
function manyWords(): string {
  const folder = freshDir();
  const word = (n: number) => `w${((n * 2_654_435_761) % 4_001).toString(36)}`;
  for (let index = 0; index < 64; index += 1) {
    const words = Array.from({ length: 600 }, (_, at) => word(index * 577 + at * 7));
    const lines = Array.from({ length: 12 }, (_, line) => words.slice(line * 50, line * 50 + 50).join(' '));
    writeFileSync(join(folder, `doc-${index}.md`), `${lines.join('.\n\n')}.\n`);
  }
  return pathToFileURL(folder).href;
}

let documents: string;
let calm: string;

type Workload = ReturnType<typeof openWorkload>;

async function prepared(seed?: number): Promise<Workload> {
  const workload = openWorkload(seed);
  const end = await workload.stage('prepare', { documents });
  expect(end.code, end.stderr).toBe(0);
  return workload;
}

async function modelOf({ objects, prefix }: Workload, attempt = 1): Promise<string> {
  return Buffer.from(await objects.get(`${prefix('train', attempt)}model.bin`)).toString('base64');
}

const folderOf = ({ root }: Workload, attempt = 1) =>
  join(root, `objects/data-bucket/acme/runs/r1/train/${attempt}/checkpoints`);
const checkpointsOf = (workload: Workload, attempt = 1) =>
  existsSync(folderOf(workload, attempt)) ? readdirSync(folderOf(workload, attempt)).sort() : [];
/** Epoch and position in a checkpoint's name. */
const reached = (name = '') => (/epoch-(\d+)-(\d+)/.exec(name) ?? []).slice(1).map(Number);

/** Trains until `epoch` is done, then signals once or more. */
function trainUntil({ stage }: Workload, epoch: number, ...signals: NodeJS.Signals[]) {
  return stage('train', {
    onLine: (line, kill) => {
      if (line.includes('"epoch done"') && line.includes(`"epoch":${epoch},`)) signals.forEach(kill);
    },
  });
}

beforeAll(async () => {
  documents = manyWords();
  const workload = await prepared();
  const end = await workload.stage('train');
  expect(end, end.stderr).toMatchObject({ code: 0, result: { resumedFrom: 0 } });
  calm = await modelOf(workload);
  expect(checkpointsOf(workload)).toEqual([]);
}, 60_000);

describe('a training that is interrupted', () => {
  it('F15: with notice saves where it stands within the epoch, leaves with 143, and ends as an undisturbed one', async () => {
    const workload = await prepared();
    const first = await trainUntil(workload, 3, 'SIGTERM');
    expect(first).toMatchObject({ code: 143, result: { error: { code: 'INTERRUPTED' } } });
    const [epoch = 0, at = 0] = reached(checkpointsOf(workload).at(-1));
    // Usually in the middle of the fourth epoch; a busy machine may deliver the signal later.
    expect(epoch * 1e6 + at).toBeGreaterThan(3e6);
    const second = await workload.stage('train', { attempt: 2 });
    expect(second, second.stderr).toMatchObject({ code: 0, result: { resumedFrom: epoch } });
    expect(second.stdout).toContain(`"at":${at}`);
    expect(second.result['losses']).toHaveLength(10 - epoch);
    expect(await modelOf(workload, 2)).toBe(calm);
  }, 60_000);

  it('twice in a row still leaves in order', async () => {
    const workload = await prepared();
    expect(await trainUntil(workload, 2, 'SIGTERM', 'SIGTERM', 'SIGTERM')).toMatchObject({ code: 143 });
    expect(checkpointsOf(workload).length).toBeGreaterThan(0);
  }, 60_000);

  it('F16: without notice goes on from the last whole epoch: at most one epoch is lost', async () => {
    const workload = await prepared();
    const first = await trainUntil(workload, 4, 'SIGKILL');
    expect(first).toMatchObject({ code: null, result: {} });
    const [epoch = 0] = reached(checkpointsOf(workload).at(-1));
    expect(epoch).toBeGreaterThanOrEqual(4);
    const second = await workload.stage('train', { attempt: 2 });
    expect(second, second.stderr).toMatchObject({ code: 0, result: { resumedFrom: epoch } });
    expect(await modelOf(workload, 2)).toBe(calm);
  }, 60_000);

  it('F16: skips a torn checkpoint by its checksum and takes the one before', async () => {
    const workload = await prepared();
    await trainUntil(workload, 4, 'SIGKILL');
    const names = checkpointsOf(workload);
    expect(names.length).toBeGreaterThanOrEqual(2);
    truncateSync(join(folderOf(workload), names.at(-1) ?? ''), 1000);
    const second = await workload.stage('train', { attempt: 2 });
    expect(second.code, second.stderr).toBe(0);
    expect(second.result['resumedFrom']).toBe(reached(names.at(-2))[0]);
    expect(second.stdout).toContain('checkpoint skipped');
    expect(await modelOf(workload, 2)).toBe(calm);
  }, 60_000);

  it('again and again comes to the same model, and leaves no checkpoint of any attempt', async () => {
    const workload = await prepared();
    const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGKILL', 'SIGTERM'];
    for (const [index, signal] of signals.entries()) {
      await workload.stage('train', {
        attempt: index + 1,
        onLine: (line, kill) => line.includes('"epoch done"') && kill(signal),
      });
    }
    const last = await workload.stage('train', { attempt: 4 });
    expect(last.code, last.stderr).toBe(0);
    expect(last.result['resumedFrom']).toBeGreaterThanOrEqual(3);
    expect(await modelOf(workload, 4)).toBe(calm);
    for (const attempt of [1, 2, 3, 4]) expect(checkpointsOf(workload, attempt)).toEqual([]);
  }, 60_000);
});

describe('checkpoints', () => {
  it('of another seed are not resumed', async () => {
    const workload = await prepared();
    await trainUntil(workload, 2, 'SIGTERM');
    const other = await workload.stage('train', { attempt: 2, env: { EPSILON_SEED: '8' } });
    expect(other).toMatchObject({ code: 0, result: { resumedFrom: 0 } });
    expect(await modelOf(workload, 2)).not.toBe(calm);
  }, 60_000);

  it('that cannot be written are reported and do not stop the training', async () => {
    const workload = await prepared();
    const attempt = join(folderOf(workload), '..');
    mkdirSync(attempt, { recursive: true });
    writeFileSync(folderOf(workload), 'in the way');
    const end = await workload.stage('train');
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(end.stdout).toContain('checkpoint not saved');
    expect(await modelOf(workload)).toBe(calm);
  }, 60_000);
});
