import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { profileTenant } from '../../lib/files/profile-tenant.ts';
import { contractSchema } from '../../lib/quality/datasets/contract.ts';
import { aTenant } from '../fixtures/records.ts';
import { freshDir } from '../local/asl/harness.ts';

const location = 's3://data/acme/orders/';

const contract = contractSchema.parse({
  location,
  format: 'csv',
  partitioning: 'hour',
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'country', type: 'string', category: true },
  ],
  keys: ['id'],
});

it('a job that looks at data leaves what it found of each tenant, and why where it could not', async () => {
  const root = freshDir();
  const objects = createFileObjectStore({ root });
  const prefix = 's3://data/quality/runs/quality-1/';
  const path = 'date=2026-11-24/hour=02/a.csv';
  await objects.put(`${location}${path}`, 'id,country\n1,DE\n2,DE\n2,FR\n');
  const partition = (file: string) => ({
    name: '2026-11-24T02',
    digest: 'd',
    files: [{ uri: `${location}${file}`, path: file, size: 26 }],
  });
  const datasets = [
    { tenantId: 'acme', contract, partitions: [partition(path)] },
    { tenantId: 'gone', contract, partitions: [partition('date=2026-11-24/hour=02/gone.csv')] },
  ];
  const documentsUri = 's3://data/acme/documents/';
  for (let index = 0; index < 12; index += 1)
    await objects.put(`${documentsUri}${index}.txt`, `Document number ${index % 11} says something.`);
  const tenant = aTenant({ documentsUri });
  const { profile } = await profileTenant(objects, tenant, { memory: undefined, maxBytes: 1_000_000 });
  const { digest, files, bytes, newestArrival } = profile;
  const listing = { digest, files, bytes, newestArrival };
  const at = '2026-11-24T02:00:00.000Z';
  const documents = [{ tenantId: 'acme', documentsUri, reading: {}, listing, at }];
  await objects.put(`${prefix}order.json`, JSON.stringify({ maxBytes: 1_000_000, datasets, documents }));
  const resultPath = join(freshDir(), 'result.json');
  await promisify(execFile)(
    process.execPath,
    [resolve('workload/data-pipeline/main.ts'), '--tenant-id', 'quality', '--profile'],
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
        EPSILON_RESULT_PATH: resultPath,
        EPSILON_OBJECTS_ROOT: root,
      },
    },
  );
  expect(JSON.parse(readFileSync(resultPath, 'utf8'))).toMatchObject({
    datasets: 2,
    partitions: 1,
    documents: 1,
    faults: 1,
  });
  const left = new TextDecoder().decode(await objects.get(`${prefix}profile/1/profiles.json`));
  expect(JSON.parse(left)).toMatchObject({
    datasets: [
      {
        tenantId: 'acme',
        partitions: [
          {
            name: '2026-11-24T02',
            profile: {
              rows: 3,
              duplicates: 1,
              partitions: { '2026-11-24T02': 3 },
              categories: { country: { DE: 2, FR: 1 } },
            },
          },
        ],
      },
      { tenantId: 'gone', partitions: [], fault: { message: expect.stringContaining('There is no object') } },
    ],
    documents: [{ tenantId: 'acme', profile }],
  });
});
