import { createHash } from 'node:crypto';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { SkipGramState } from '../../lib/training/models/vectors/skip-gram.ts';
import type { JobContext } from '../job/context.ts';

/** Header bytes: epoch, chunks, bytes of each matrix as u32, one word unused; pairs, loss as f64; fingerprint 32. */
const headerBytes = 64;

/** Bytes of the checksum at the end. */
const checksumBytes = 32;

/** Newest checkpoints of an attempt that stay: one more than needed, should the newest be torn. */
const kept = 2;

/** A training that can be put aside: where it is, and its two matrices, which are written and read in place. */
export interface Checkpointed {
  readonly state: SkipGramState;
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

/** File: header, input matrix, output matrix, SHA-256 of everything before. The fingerprint names data, seed and shape. */
async function* encode(
  { state, input, output }: Checkpointed,
  fingerprint: Buffer,
): AsyncGenerator<Uint8Array> {
  const header = Buffer.alloc(headerBytes);
  for (const [index, value] of [state.epoch, state.at, input.byteLength].entries())
    header.writeUInt32LE(value, index * 4);
  header.writeDoubleLE(state.pairs, 16);
  header.writeDoubleLE(state.loss, 24);
  fingerprint.copy(header, 32);
  const hash = createHash('sha256');
  for (const part of [header, input, output]) {
    hash.update(part);
    yield part;
  }
  yield hash.digest();
}

/** Takes a checkpoint over; false, and nothing changed, when it is torn, changed, or of another training. */
function restore(bytes: Uint8Array, into: Checkpointed, fingerprint: Buffer): boolean {
  const { input, output, state } = into;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length !== headerBytes + input.byteLength + output.byteLength + checksumBytes) return false;
  const body = file.subarray(0, -checksumBytes);
  const checksum = createHash('sha256').update(body).digest();
  if (!checksum.equals(file.subarray(-checksumBytes))) return false;
  if (!body.subarray(32, headerBytes).equals(fingerprint)) return false;
  input.set(body.subarray(headerBytes, headerBytes + input.byteLength));
  output.set(body.subarray(headerBytes + input.byteLength));
  Object.assign(state, {
    epoch: body.readUInt32LE(0),
    at: body.readUInt32LE(4),
    pairs: body.readDoubleLE(16),
    loss: body.readDoubleLE(24),
  });
  return true;
}

/** What makes two trainings the same: a checkpoint of anything else is never resumed. */
export function fingerprintOf(facts: Readonly<Record<string, unknown>>): Buffer {
  return createHash('sha256').update(JSON.stringify(facts)).digest();
}

const pattern = /\/checkpoints\/epoch-(\d{4,})-(\d{10})\.ckpt$/;

function nameOf({ epoch, at }: SkipGramState): string {
  return `checkpoints/epoch-${String(epoch).padStart(4, '0')}-${String(at).padStart(10, '0')}.ckpt`;
}

/** Checkpoints below a prefix, furthest first. */
async function furthestFirst(context: JobContext, prefix: string): Promise<string[]> {
  const found: { readonly uri: string; readonly epoch: number; readonly at: number }[] = [];
  for await (const { uri } of context.objects.list(prefix)) {
    const [, epoch, at] = pattern.exec(uri) ?? [];
    if (epoch !== undefined) found.push({ uri, epoch: Number(epoch), at: Number(at) });
  }
  return found.sort((a, b) => b.epoch - a.epoch || b.at - a.at).map(({ uri }) => uri);
}

/**
 * Writes where the training stands below this attempt's prefix and removes what is older than the last two. A checkpoint
 * that cannot be written is no reason to stop training: it is reported, and the earlier ones stay.
 */
export async function saveCheckpoint(
  context: JobContext,
  training: Checkpointed,
  fingerprint: Buffer,
): Promise<void> {
  const { state } = training;
  try {
    await context.objects.put(context.output + nameOf(state), encode(training, fingerprint));
    const all = await furthestFirst(context, `${context.output}checkpoints/`);
    for (const uri of all.slice(kept)) await context.objects.delete(uri);
  } catch (error) {
    context.progress('checkpoint not saved', { epoch: state.epoch, error: String(error) });
  }
}

/** A checkpoint's bytes; undefined when another attempt, which finished meanwhile, has removed it. */
async function read(context: JobContext, uri: string): Promise<Uint8Array | undefined> {
  try {
    return await context.objects.get(uri);
  } catch (error) {
    if (error instanceof EpsilonError && error.code === 'OBJECT_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Takes over the furthest whole checkpoint of any attempt of this run's stage and gives its URI. Torn ones are skipped by their checksum. */
export async function resume(
  context: JobContext,
  training: Checkpointed,
  fingerprint: Buffer,
): Promise<string | undefined> {
  const prefix = context.inputs['checkpoints'];
  if (prefix === undefined) return undefined;
  for (const uri of await furthestFirst(context, prefix)) {
    const bytes = await read(context, uri);
    if (bytes && restore(bytes, training, fingerprint)) return uri;
    context.progress('checkpoint skipped: torn, gone or of another training', { uri });
  }
  return undefined;
}

/** Removes the checkpoints of all attempts of the stage: the finished model stands in for them. */
export async function dropCheckpoints(context: JobContext): Promise<void> {
  const prefix = context.inputs['checkpoints'] ?? context.output;
  for (const uri of await furthestFirst(context, prefix)) await context.objects.delete(uri);
}
