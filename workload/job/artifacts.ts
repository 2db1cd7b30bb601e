import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
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

/** Writes files one by one and the manifest last. */
export class ArtifactWriter {
  readonly #context: JobContext;
  readonly #files: ManifestFile[] = [];

  constructor(context: JobContext) {
    this.#context = context;
  }

  async write(name: string, body: Uint8Array | string): Promise<string> {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const digest = sha256(bytes);
    await this.#context.objects.put(this.#context.output + name, bytes);
    this.#files.push({ name, bytes: bytes.byteLength, sha256: digest });
    return digest;
  }

  async close(facts: Manifest['facts']): Promise<void> {
    const { stage, runId, attempt, output, objects } = this.#context;
    const manifest: Manifest = { stage, runId, attempt, files: this.#files, facts };
    await objects.put(`${output}manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`, {
      contentType: 'application/json',
    });
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

/** Reads a file named by a manifest and checks its checksum. */
export async function readArtifact(
  objects: ObjectStore,
  prefix: string,
  manifest: Manifest,
  name: string,
): Promise<Uint8Array> {
  const entry = manifest.files.find((file) => file.name === name);
  if (!entry)
    throw new JobFailure(jobExit.noInput, 'DATA_FILE_MISSING', `The manifest of ${prefix} names no ${name}.`);
  const body = await objects.get(prefix + name);
  if (sha256(body) !== entry.sha256)
    throw new JobFailure(jobExit.data, 'DATA_CHECKSUM', `${prefix}${name} does not match its checksum.`);
  return body;
}

/** One passage of a tenant's documents. */
export interface Passage {
  readonly id: string;
  /** The document it is from. */
  readonly source: string;
  readonly text: string;
}

/** Passages of a prepared data set, in order, each shard's checksum checked. */
export async function readPassages(
  objects: ObjectStore,
  prefix: string,
): Promise<{ readonly manifest: Manifest; readonly passages: Passage[] }> {
  const manifest = await readManifest(objects, prefix);
  const passages: Passage[] = [];
  for (const { name } of manifest.files) {
    const text = new TextDecoder().decode(await readArtifact(objects, prefix, manifest, name));
    for (const line of text.split('\n')) if (line !== '') passages.push(JSON.parse(line) as Passage);
  }
  return { manifest, passages };
}
