import { createHash } from 'node:crypto';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { SkipGramState } from '../../lib/training/models/vectors/skip-gram.ts';
import type { JobContext } from '../job/context.ts';

/** Header bytes: epoch, at, random, epochRandom, floats as u32; pairs, loss as f64; fingerprint 32. */
const headerBytes = 68;

/** Bytes of the checksum at the end. */
const checksumBytes = 32;

/** Newest checkpoints of an attempt that stay: one more than needed, should the newest be torn. */
const kept = 2;

/** File: header, input floats, output floats, SHA-256 of everything before. The fingerprint names data, seed and shape. */
function encode(state: SkipGramState, fingerprint: Buffer): Buffer {
  const { epoch, at, random, epochRandom, pairs, loss, input, output } = state;
  const header = Buffer.alloc(headerBytes);
  for (const [index, value] of [epoch, at, random, epochRandom, input.length].entries())
    header.writeUInt32LE(value, index * 4);
  header.writeDoubleLE(pairs, 20);
  header.writeDoubleLE(loss, 28);
  fingerprint.copy(header, 36);
  const body = Buffer.concat([header, bytesOf(input), bytesOf(output)]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The state in a checkpoint; undefined when it is torn, changed, or of another training. */
function decode(bytes: Uint8Array, fingerprint: Buffer): SkipGramState | undefined {
  const file = Buffer.from(bytes);
  if (file.length < headerBytes + checksumBytes) return undefined;
  const body = file.subarray(0, -checksumBytes);
  const checksum = createHash('sha256').update(body).digest();
  if (!checksum.equals(file.subarray(-checksumBytes))) return undefined;
  const floats = body.readUInt32LE(16);
  if (!body.subarray(36, headerBytes).equals(fingerprint) || body.length !== headerBytes + floats * 8)
    return undefined;
  const all = new Float32Array(new Uint8Array(body.subarray(headerBytes)).buffer);
  return {
    epoch: body.readUInt32LE(0),
    at: body.readUInt32LE(4),
    random: body.readUInt32LE(8),
    epochRandom: body.readUInt32LE(12),
    pairs: body.readDoubleLE(20),
    loss: body.readDoubleLE(28),
    input: all.slice(0, floats),
    output: all.slice(floats),
  };
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
  state: SkipGramState,
  fingerprint: Buffer,
): Promise<void> {
  try {
    await context.objects.put(context.output + nameOf(state), encode(state, fingerprint));
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

/** The furthest whole checkpoint of any attempt of this run's stage. Torn ones are skipped by their checksum. */
export async function latestCheckpoint(
  context: JobContext,
  fingerprint: Buffer,
): Promise<{ readonly state: SkipGramState; readonly uri: string } | undefined> {
  const prefix = context.inputs['checkpoints'];
  if (prefix === undefined) return undefined;
  for (const uri of await furthestFirst(context, prefix)) {
    const bytes = await read(context, uri);
    const state = bytes && decode(bytes, fingerprint);
    if (state) return { state, uri };
    context.progress('checkpoint skipped: torn, gone or of another training', { uri });
  }
  return undefined;
}

/** Removes the checkpoints of all attempts of the stage: the finished model stands in for them. */
export async function dropCheckpoints(context: JobContext): Promise<void> {
  const prefix = context.inputs['checkpoints'] ?? context.output;
  for (const uri of await furthestFirst(context, prefix)) await context.objects.delete(uri);
}
