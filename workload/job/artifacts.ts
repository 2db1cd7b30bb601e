import { createHash } from 'node:crypto';
import type { Passage } from '../../lib/documents/passages.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { ObjectBody, ObjectStore } from '../../lib/ports/object-store.ts';
import type { JobContext } from './context.ts';
import { JobFailure, jobExit } from './failure.ts';
import { sha256 } from './run-job.ts';

/** One file of a manifest. */
export interface ManifestFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Written last: a prefix without it is not there. */
export interface Manifest {
  readonly stage: string;
  readonly runId: string;
  readonly attempt: number;
  readonly files: readonly ManifestFile[];
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Passes pieces on and gives their number of bytes and SHA-256 when they are through. */
class Meter {
  readonly #hash = createHash('sha256');
  bytes = 0;

  async *measure(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.#hash.update(piece);
      this.bytes += piece.byteLength;
      yield piece;
    }
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** Writes files one by one and the manifest last. */
export class ArtifactWriter {
  readonly #context: JobContext;
  readonly #files: ManifestFile[] = [];

  constructor(context: JobContext) {
    this.#context = context;
  }

  /** Writes one file, whole or in pieces, and gives its SHA-256. */
  async write(name: string, body: ObjectBody): Promise<string> {
    const { objects, output } = this.#context;
    if (typeof body === 'string' || body instanceof Uint8Array) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      await objects.put(output + name, bytes);
      return this.#add(name, bytes.byteLength, sha256(bytes));
    }
    const meter = new Meter();
    await objects.put(output + name, meter.measure(body));
    return this.#add(name, meter.bytes, meter.digest());
  }

  #add(name: string, bytes: number, digest: string): string {
    this.#files.push({ name, bytes, sha256: digest });
    return digest;
  }

  /** Writes the manifest; gives the bytes that are kept with it, which the ledger counts as storage. */
  async close(facts: Manifest['facts']): Promise<number> {
    const { stage, runId, attempt, output, objects } = this.#context;
    const manifest: Manifest = { stage, runId, attempt, files: this.#files, facts };
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    await objects.put(`${output}manifest.json`, text, { contentType: 'application/json' });
    return this.#files.reduce((sum, { bytes }) => sum + bytes, Buffer.byteLength(text));
  }
}

/** Reads a stage's manifest; a prefix without one has no usable output (exit 66). */
export async function readManifest(objects: ObjectStore, prefix: string): Promise<Manifest> {
  try {
    return JSON.parse(new TextDecoder().decode(await objects.get(`${prefix}manifest.json`))) as Manifest;
  } catch (error) {
    if (error instanceof EpsilonError && error.code === 'OBJECT_NOT_FOUND') {
      throw new JobFailure(
        jobExit.noInput,
        'DATA_NO_MANIFEST',
        `${prefix} holds no finished output (no manifest.json).`,
      );
    }
    throw error;
  }
}

function entryOf(manifest: Manifest, prefix: string, name: string): ManifestFile {
  const entry = manifest.files.find((file) => file.name === name);
  if (entry) return entry;
  throw new JobFailure(jobExit.noInput, 'DATA_FILE_MISSING', `The manifest of ${prefix} names no ${name}.`);
}

function changed(prefix: string, name: string): JobFailure {
  return new JobFailure(jobExit.data, 'DATA_CHECKSUM', `${prefix}${name} does not match its checksum.`);
}

/** Reads a file named by a manifest and checks its checksum. */
export async function readArtifact(
  objects: ObjectStore,
  prefix: string,
  manifest: Manifest,
  name: string,
): Promise<Uint8Array> {
  const entry = entryOf(manifest, prefix, name);
  const body = await objects.get(prefix + name);
  if (sha256(body) !== entry.sha256) throw changed(prefix, name);
  return body;
}

/** Reads a file named by a manifest in pieces; one that does not match its checksum throws after the last. */
export async function* streamArtifact(
  objects: ObjectStore,
  prefix: string,
  manifest: Manifest,
  name: string,
): AsyncGenerator<Uint8Array> {
  const entry = entryOf(manifest, prefix, name);
  const meter = new Meter();
  yield* meter.measure(objects.stream(prefix + name));
  if (meter.digest() !== entry.sha256) throw changed(prefix, name);
}

/** Passages of a prepared data set, in order, shard by shard: each shard's checksum is checked before its first passage. */
export async function* streamPassages(
  objects: ObjectStore,
  prefix: string,
  manifest: Manifest,
): AsyncGenerator<Passage> {
  for (const { name } of manifest.files) {
    const text = new TextDecoder().decode(await readArtifact(objects, prefix, manifest, name));
    for (const line of text.split('\n')) if (line !== '') yield JSON.parse(line) as Passage;
  }
}
