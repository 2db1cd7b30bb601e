import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type DataFile, profileFiles, sampleOf } from '../../lib/files/datasets/profile-dataset.ts';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { pathOfFileUri } from '../../lib/objects/file-uri.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import type { ProfiledDataset, WantedDataset } from '../../lib/quality/datasets/jobs.ts';
import type { DatasetProfile } from '../../lib/quality/datasets/profile.ts';

/*
 * A process for one tenant: it has the credentials of that tenant's dataset and no others, copies one partition after another to a temporary
 * folder, and has each looked at by a process without any credentials. What it found goes to stdout.
 */

type Partition = WantedDataset['partitions'][number];
type WantedFile = Partition['files'][number];

async function openObjects(root: string | undefined): Promise<Pick<ObjectStore, 'stream'>> {
  if (root !== undefined) return createFileObjectStore({ root });
  const { createS3ObjectStore } = await import('../../lib/aws/s3/s3-object-store.ts');
  return createS3ObjectStore();
}

/** The ending says how DuckDB reads a file (compressed text); nothing else of a name is kept. */
const endingOf = (path: string) => /(\.[a-z]{1,8}){0,2}$/i.exec(path)?.[0] ?? '';

/** Files of a partition on this host, and the folder that they are in. */
interface Fetched {
  readonly folder: string;
  readonly files: readonly DataFile[];
}

const here = (location: string) => location.startsWith('file:');

/** Copies what is read of a partition to a folder. */
async function fetchTo(
  folder: string,
  objects: Pick<ObjectStore, 'stream'>,
  files: readonly WantedFile[],
): Promise<Fetched> {
  const copied: DataFile[] = [];
  for (const [index, { uri, path: name, size }] of files.entries()) {
    const path = join(folder, `${index}${endingOf(name)}`);
    await pipeline(Readable.from(objects.stream(uri)), createWriteStream(path));
    copied.push({ path, name, size, modifiedAt: 0 });
  }
  return { folder, files: copied };
}

function inPlace(location: string, files: readonly WantedFile[]): Fetched {
  return {
    folder: pathOfFileUri(location).replace(/\/$/, ''),
    files: files.map(({ uri, path: name, size }) => ({
      path: pathOfFileUri(uri),
      name,
      size,
      modifiedAt: 0,
    })),
  };
}

/** What a reader lacked that ended: the host's fault, and no property of the data. */
const ofHost = /out of memory|no space|ENOSPC|EMFILE|timed out/i;

/** Data that ends its reader cannot be read: that is found, and not tried again every hour. */
async function profileOf(contract: WantedDataset['contract'], fetched: Fetched): Promise<DatasetProfile> {
  const everything = { maxBytes: Number.POSITIVE_INFINITY };
  try {
    return await profileFiles(contract, { ...fetched, unfinished: 0 }, everything);
  } catch (error) {
    const { message } = error as Error;
    if (ofHost.test(message)) throw error;
    const unreadable = fetched.files.map(({ name: file }) => ({
      file,
      why: 'it ends the process that reads it',
    }));
    return { ...nothing, unreadable };
  }
}

const nothing: DatasetProfile = {
  files: 0,
  bytes: 0,
  newestArrival: null,
  unreadable: [],
  unfinished: 0,
  rows: 0,
  broken: 0,
  duplicates: 0,
  fields: [],
  categories: {},
  newestEvent: null,
  partitions: {},
  sampled: false,
};

async function lookAt(
  objects: Pick<ObjectStore, 'stream'>,
  { contract }: WantedDataset,
  { files }: Partition,
  maxBytes: number,
): Promise<DatasetProfile> {
  const named = files.map((file) => ({ ...file, name: file.path }));
  const read = sampleOf(named, maxBytes);
  const folder = await mkdtemp(join(tmpdir(), 'epsilon-partition-'));
  try {
    const fetched = here(contract.location)
      ? inPlace(contract.location, read)
      : await fetchTo(folder, objects, read);
    return {
      ...(await profileOf(contract, fetched)),
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      newestArrival: null,
      sampled: read.length < files.length,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function profile(dataset: WantedDataset, maxBytes: number): Promise<ProfiledDataset> {
  const objects = await openObjects(process.env['EPSILON_OBJECTS_ROOT']);
  const partitions: ProfiledDataset['partitions'] = [];
  for (const partition of dataset.partitions) {
    const { name, digest } = partition;
    partitions.push({ name, digest, profile: await lookAt(objects, dataset, partition, maxBytes) });
  }
  return { tenantId: dataset.tenantId, partitions };
}

try {
  const asked = JSON.parse(await text(process.stdin)) as { dataset: WantedDataset; maxBytes: number };
  process.stdout.write(JSON.stringify({ datasets: [await profile(asked.dataset, asked.maxBytes)] }));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
