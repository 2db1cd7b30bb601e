import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';

/** Seconds of a processor that a job takes: for itself, and for each tenant whose small partition it looks at. */
export interface JobWork {
  readonly perJob: number;
  readonly perTenant: number;
}

const partition = { name: '2026-11-24T02', digest: 'd' };

/** User and system time of all processes of a shell, as `times` writes them: "0m1.250s 0m0.100s" for itself and for its children. */
function secondsOf(times: string): number {
  const [, , user = '', system = ''] = times.trim().split(/\s+/);
  return [user, system].reduce((sum, each) => {
    const [minutes = '0', seconds = '0'] = each.replace('s', '').split('m');
    return sum + 60 * Number(minutes) + Number(seconds);
  }, 0);
}

/** Processor seconds of one real job over the small partitions of so many tenants. */
async function secondsOfJob(tenants: number): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'epsilon-job-work-'));
  try {
    const objects = createFileObjectStore({ root });
    const prefix = 's3://data/quality/runs/quality-1/';
    const datasets = [];
    for (let index = 0; index < tenants; index += 1) {
      const location = `s3://data/tenant-${index}/orders/`;
      const path = 'date=2026-11-24/hour=02/a.csv';
      const rows = Array.from({ length: 1_000 }, (_, id) => `${id},DE`).join('\n');
      await objects.put(`${location}${path}`, `id,country\n${rows}\n`);
      const fields = [
        { name: 'id', type: 'integer' },
        { name: 'country', type: 'string', category: true },
      ];
      const contract = { location, format: 'csv', partitioning: 'hour', fields, keys: ['id'] };
      const files = [{ uri: `${location}${path}`, path, size: 8_000 }];
      datasets.push({ tenantId: `tenant-${index}`, contract, partitions: [{ ...partition, files }] });
    }
    await objects.put(`${prefix}order.json`, JSON.stringify({ maxBytes: 1_000_000, datasets }));
    const command = `"$0" "$1" --tenant-id quality --profile > /dev/null && times`;
    const { stdout } = await promisify(execFile)(
      'bash',
      ['-c', command, process.execPath, resolve('workload/data-pipeline/main.ts')],
      {
        env: {
          PATH: process.env['PATH'],
          EPSILON_CONTRACT: '2',
          EPSILON_RUN_ID: 'quality-1',
          EPSILON_TRAINING_STAGE: 'profile',
          EPSILON_ATTEMPT: '1',
          EPSILON_INPUTS: JSON.stringify({ order: `${prefix}order.json` }),
          EPSILON_OUTPUT: `${prefix}profile/1/`,
          EPSILON_FENCE: '0',
          EPSILON_SEED: '0',
          EPSILON_RESULT_PATH: join(root, 'result.json'),
          EPSILON_OBJECTS_ROOT: root,
        },
      },
    );
    return secondsOf(stdout);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Measures real jobs: a small and a larger one say what each tenant adds. The program that lends credentials is not among it. */
export async function workOfJobs(): Promise<JobWork> {
  const [few, many] = [2, 12];
  const [less, more] = [await secondsOfJob(few), await secondsOfJob(many)];
  const perTenant = (more - less) / (many - few);
  return { perJob: Math.max(0, less - few * perTenant), perTenant };
}
