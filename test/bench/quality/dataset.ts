import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { profileDataset } from '../../../lib/files/datasets/profile-dataset.ts';
import { contractSchema } from '../../../lib/quality/datasets/contract.ts';

const rows = 10_000_000;

const plain = fileURLToPath(new URL('./plain-query.ts', import.meta.url));

/** Each is run so often; the fastest counts, because others use the host, too. */
const rounds = 3;

const fields = [
  { name: 'id', type: 'integer' },
  { name: 'user', type: 'string' },
  { name: 'amount', type: 'number' },
  { name: 'kind', type: 'integer' },
  { name: 'at', type: 'timestamp' },
  { name: 'note', type: 'string' },
];

async function generate(file: string): Promise<void> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  await connection.run(
    `COPY (SELECT i AS id, 'user-' || (i * 7919 % 1000003) AS "user", CASE WHEN i % 100 = 3 THEN NULL ELSE (i * 31 % 1000003) / 1000 END AS amount, (i % 5)::INTEGER AS kind, TIMESTAMP '2026-11-01' + INTERVAL (i / 10) SECOND AS "at", 'text ' || i AS note FROM range(${rows}) t(i)) TO '${file}' (FORMAT PARQUET, ROW_GROUP_SIZE 100000)`,
  );
  connection.closeSync();
}

/** The largest memory, in MiB, that a child of this process had: Linux says it while the child lives. */
function watchChildren() {
  let largest = 0;
  const timer = setInterval(() => {
    try {
      const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
      for (const child of children) {
        const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child}/status`, 'utf8'));
        largest = Math.max(largest, Number(found?.[1] ?? 0) / 1_024);
      }
    } catch {
      // It has just ended.
    }
  }, 20);
  return () => {
    clearInterval(timer);
    return largest;
  };
}

async function timed(work: () => Promise<unknown>): Promise<{ seconds: number; largestMiB: number }> {
  const found = [];
  for (let round = 0; round < rounds; round += 1) {
    const stop = watchChildren();
    const begun = performance.now();
    await work();
    found.push({ seconds: (performance.now() - begun) / 1_000, largestMiB: stop() });
  }
  return {
    seconds: Math.min(...found.map(({ seconds }) => seconds)),
    largestMiB: Math.max(...found.map(({ largestMiB }) => largestMiB)),
  };
}

/** Ten million rows of Parquet held to a contract, beside one plain query of DuckDB for the same aggregates in a process of its own. */
export async function benchDataset(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-rows-'));
  try {
    const file = join(folder, 'rows.parquet');
    await generate(file);
    const location = `${pathToFileURL(folder).href}/`;
    const contract = contractSchema.parse({
      location,
      format: 'parquet',
      fields,
      keys: ['id'],
      eventTime: 'at',
    });
    const epsilon = await timed(() => profileDataset(contract, { maxBytes: Number.POSITIVE_INFINITY }));
    const peer = await timed(() => promisify(execFile)(process.execPath, [plain, file]));
    return { rows, epsilon, plainQuery: peer, timesAsLong: epsilon.seconds / peer.seconds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
