import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { cutParquet, cutText, type RowRange } from '../../lib/files/datasets/cut-file.ts';
import type { DataFile } from '../../lib/files/datasets/files-below.ts';
import { profileFiles, sampleOf } from '../../lib/files/datasets/profile-dataset.ts';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { profileWanted } from '../../lib/files/profile-tenant.ts';
import { pathOfFileUri } from '../../lib/objects/file-uri.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import type {
  AskedOfTenant,
  ProfiledData,
  ProfiledDataset,
  ProfiledDocuments,
  WantedDataset,
  WantedDocuments,
} from '../../lib/quality/datasets/jobs.ts';
import type { DatasetProfile } from '../../lib/quality/datasets/profile.ts';

/*
 * A process for one tenant: it has the credentials of that tenant's data and no others. Of a dataset it copies one partition after another to a
 * temporary folder, and has each looked at by a process without any credentials; documents it reads itself, as training does. What it found
 * goes to stdout.
 */

type Partition = WantedDataset['partitions'][number];
type WantedFile = Partition['files'][number];

type Objects = Pick<ObjectStore, 'stream' | 'get'>;

/** Files of this host by their `file://` URIs, beside the objects that are asked for otherwise. */
function withFiles({ stream, get }: Objects): Objects {
  return {
    stream,
    get: async (uri, options = {}) => {
      if (!uri.startsWith('file:')) return get(uri, options);
      const { from = 0, first = 0 } = options;
      await using file = await open(pathOfFileUri(uri));
      const { buffer, bytesRead } = await file.read(Buffer.alloc(first), 0, first, from);
      return buffer.subarray(0, bytesRead);
    },
  };
}

/** Objects of this host below a folder, or S3. */
async function openObjects(root: string | undefined): Promise<ObjectStore> {
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
  /** Of Parquet that was cut: the rows that are there. */
  readonly ranges?: readonly RowRange[] | undefined;
}

const here = (location: string) => location.startsWith('file:');

/** Copies what is read of a partition to a folder. */
async function fetchTo(folder: string, objects: Objects, files: readonly WantedFile[]): Promise<Fetched> {
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
  const { ranges } = fetched;
  const everything = { maxBytes: Number.POSITIVE_INFINITY, ranges };
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

/** A file that is larger than what is read is cut, always in the same way: text at its beginning, Parquet by row groups. */
async function cut(
  { objects, folder }: { objects: Objects; folder: string },
  contract: WantedDataset['contract'],
  { uri, path: name, size }: WantedFile,
  maxBytes: number,
): Promise<Fetched> {
  const path = join(folder, `0${endingOf(name)}`);
  const large = { uri, name, size };
  const files = [{ path, name, size, modifiedAt: 0 }];
  if (contract.format === 'parquet') {
    const ranges = await cutParquet(objects, large, path, { contract, maxBytes, folder });
    return { folder, files, ranges };
  }
  await cutText(objects, large, path, maxBytes);
  return { folder, files };
}

async function lookAt(
  objects: Objects,
  { contract }: WantedDataset,
  { files }: Partition,
  maxBytes: number,
): Promise<DatasetProfile> {
  const named = files.map((file) => ({ ...file, name: file.path }));
  const read = sampleOf(named, maxBytes);
  const folder = await mkdtemp(join(tmpdir(), 'epsilon-partition-'));
  try {
    const [first] = read;
    // Compressed text has no beginning that can be read alone.
    const tooLarge = first !== undefined && first.size > maxBytes && !/\.(gz|zst)$/i.test(first.path);
    const fetched = await (tooLarge
      ? cut({ objects, folder }, contract, first, maxBytes)
      : here(contract.location)
        ? inPlace(contract.location, read)
        : fetchTo(folder, objects, read));
    return {
      ...(await profileOf(contract, fetched)),
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      newestArrival: null,
      sampled: tooLarge || read.length < files.length,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function profile(
  objects: ObjectStore,
  dataset: WantedDataset,
  maxBytes: number,
): Promise<ProfiledDataset> {
  const readable = process.env['EPSILON_OBJECTS_ROOT'] === undefined ? objects : withFiles(objects);
  const partitions: ProfiledDataset['partitions'] = [];
  for (const partition of dataset.partitions) {
    const { name, digest } = partition;
    partitions.push({ name, digest, profile: await lookAt(readable, dataset, partition, maxBytes) });
  }
  return { tenantId: dataset.tenantId, partitions };
}

/** What is in one tenant's documents. What is wrong with the place is found; what passes by itself ends this process. */
async function readAll(
  objects: ObjectStore,
  wanted: WantedDocuments,
  maxBytes: number,
): Promise<ProfiledDocuments> {
  const { tenantId } = wanted;
  try {
    return { tenantId, profile: await profileWanted(objects, wanted, maxBytes) };
  } catch (error) {
    if (!(error instanceof EpsilonError) || error.retryable) throw error;
    return { tenantId, fault: { code: error.code, message: error.message.slice(0, 500) } };
  }
}

async function answer({ maxBytes, ...asked }: AskedOfTenant): Promise<ProfiledData> {
  const objects = await openObjects(process.env['EPSILON_OBJECTS_ROOT']);
  return 'dataset' in asked
    ? { datasets: [await profile(objects, asked.dataset, maxBytes)], documents: [] }
    : { datasets: [], documents: [await readAll(objects, asked.documents, maxBytes)] };
}

try {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(await text(process.stdin)) as AskedOfTenant)));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
