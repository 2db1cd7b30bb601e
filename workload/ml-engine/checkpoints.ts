import { createHash } from 'node:crypto';
import type { SkipGramState } from '../../lib/training/vectors/skip-gram.ts';
import type { JobContext } from '../job/context.ts';

/** Header bytes: epoch u32, random u32, floats u32, fingerprint 32. */
const headerBytes = 44;

/** File: header, input floats, output floats, SHA-256 of everything before. The fingerprint names data, seed and shape. */
function encode({ epoch, random, input, output }: SkipGramState, fingerprint: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(epoch, 0);
  header.writeUInt32LE(random, 4);
  header.writeUInt32LE(input.length, 8);
  fingerprint.copy(header, 12);
  const body = Buffer.concat([header, Buffer.from(input.buffer), Buffer.from(output.buffer)]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/** The state in a checkpoint; undefined when it is torn, changed, or of another training. */
function decode(bytes: Uint8Array, fingerprint: Buffer): SkipGramState | undefined {
  const file = Buffer.from(bytes);
  if (file.length < headerBytes + 32) return undefined;
  const body = file.subarray(0, -32);
  if (!createHash('sha256').update(body).digest().equals(file.subarray(-32))) return undefined;
  const floats = body.readUInt32LE(8);
  if (!body.subarray(12, headerBytes).equals(fingerprint) || body.length !== headerBytes + floats * 8)
    return undefined;
  const all = new Float32Array(new Uint8Array(body.subarray(headerBytes)).buffer);
  return {
    epoch: body.readUInt32LE(0),
    random: body.readUInt32LE(4),
    input: all.slice(0, floats),
    output: all.slice(floats),
  };
}

/** What makes two trainings the same: a checkpoint of anything else is never resumed. */
export function fingerprintOf(facts: Readonly<Record<string, unknown>>): Buffer {
  return createHash('sha256').update(JSON.stringify(facts)).digest();
}

/** Writes the checkpoint of an epoch below this attempt's prefix. */
export async function saveCheckpoint(
  context: JobContext,
  state: SkipGramState,
  fingerprint: Buffer,
): Promise<void> {
  const name = `checkpoints/epoch-${String(state.epoch).padStart(4, '0')}.ckpt`;
  await context.objects.put(context.output + name, encode(state, fingerprint));
}

/** The furthest whole checkpoint of any attempt of this run's stage. Torn ones are skipped by their checksum. */
export async function latestCheckpoint(
  context: JobContext,
  fingerprint: Buffer,
): Promise<{ readonly state: SkipGramState; readonly uri: string } | undefined> {
  const prefix = context.inputs['checkpoints'];
  if (prefix === undefined) return undefined;
  const uris: string[] = [];
  for await (const { uri } of context.objects.list(prefix))
    if (/\/checkpoints\/epoch-\d+\.ckpt$/.test(uri)) uris.push(uri);
  uris.sort((a, b) => (a.slice(a.lastIndexOf('/')) < b.slice(b.lastIndexOf('/')) ? 1 : -1));
  for (const uri of uris) {
    const state = decode(await context.objects.get(uri), fingerprint);
    if (state) return { state, uri };
    context.progress('checkpoint skipped: torn or of another training', { uri });
  }
  return undefined;
}

/** Removes this attempt's checkpoints: the finished model stands in for them. */
export async function dropCheckpoints(context: JobContext): Promise<void> {
  for await (const { uri } of context.objects.list(`${context.output}checkpoints/`))
    await context.objects.delete(uri);
}
