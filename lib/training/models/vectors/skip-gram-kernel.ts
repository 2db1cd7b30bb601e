import {
  type Kernel,
  type SkipGramLayout,
  sigmoidEntries,
  sigmoidReach,
  sigmoidScale,
  sigmoidSteps,
} from './skip-gram-memory.ts';
import { plainKernel } from './skip-gram-plain.ts';
import { type Code, encodeModule, op, seq, valueType } from './wasm-encoder.ts';

const [pairs, end, stride, negatives, rate, random, table, mask, input, output, scratch, sigmoids] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
];
const [row, column, target, centre, sample, entry, entriesEnd, at, bin] = [
  12, 13, 14, 15, 16, 17, 18, 19, 20,
];
const [step, loss] = [21, 22];
const vector = [23, 24, 25, 26, 27, 28, 29, 30] as const;
const steps = 31;

const { get, set, tee, i32, f32, f64, f32x4, v128 } = op;
const addTo = (local: number, amount: Code) => seq(get(local), amount, i32.add, set(local));
const place = (base: number, index: number) => seq(get(base), get(index), get(stride), i32.mul, i32.add);

/** Four sums side by side, then their lanes, always in this order: the sum is the same wherever it is made. */
function dot(): Code {
  const [sum0, sum1, sum2, sum3] = vector;
  const sums = [sum0, sum1, sum2, sum3];
  const address = (base: number) => seq(get(base), get(at), i32.add);
  return seq(
    ...sums.map((sum) => seq(v128.zero, set(sum))),
    seq(i32.const(0), set(at)),
    op.loop(
      ...sums.map((sum, index) =>
        seq(
          get(sum),
          seq(address(row), v128.load(index * 16), address(column), v128.load(index * 16), f32x4.mul),
          seq(f32x4.add, set(sum)),
        ),
      ),
      seq(addTo(at, i32.const(64)), get(at), get(stride), i32.ltU, op.branchIf(0)),
    ),
    seq(get(sum0), get(sum1), f32x4.add, get(sum2), get(sum3), f32x4.add, f32x4.add, set(sum0)),
    seq(get(sum0), f32x4.lane(0), get(sum0), f32x4.lane(1), f32.add),
    seq(get(sum0), f32x4.lane(2), get(sum0), f32x4.lane(3), f32.add, f32.add),
  );
}

/** From the dot product on the stack: the place in the sigmoid table, the step, the loss; kept as an entry of the pair. */
function keepEntry(): Code {
  const lossTable = (number: number) => number * sigmoidEntries * 4;
  return seq(
    seq(f32.const(sigmoidReach), f32.add, f32.const(sigmoidScale), f32.mul),
    seq(f32.const(sigmoidSteps), f32.min, f32.const(-1), f32.max, f32.floor, i32.truncSatF32),
    seq(i32.const(1), i32.add, i32.const(2), i32.shl, get(sigmoids), i32.add, set(bin)),
    // The label is 1 for the word that is there, the first sample, otherwise 0.
    seq(f32.const(0), get(bin), f32.load(), f32.sub, set(step)),
    seq(get(sample), i32.eqz),
    op.when(seq(f32.const(1), get(bin), f32.load(), f32.sub, set(step))),
    seq(get(loss), get(bin), f32.load(lossTable(2)), f64.promote, f64.add),
    seq(get(loss), get(bin), f32.load(lossTable(1)), f64.promote, f64.add),
    seq(get(sample), op.select, set(loss)),
    seq(get(entriesEnd), get(column), i32.store()),
    seq(get(entriesEnd), get(step), get(rate), f32.mul, f32x4.splat, v128.store(16)),
    addTo(entriesEnd, i32.const(32)),
  );
}

/** The next negative sample into `target`, by xorshift. */
function draw(): Code {
  const shift = (amount: number, direction: Code) =>
    seq(get(random), get(random), i32.const(amount), direction, i32.xor, set(random));
  return seq(
    shift(13, i32.shl),
    shift(17, i32.shrU),
    shift(5, i32.shl),
    seq(get(table), get(random), get(mask), i32.and, i32.const(2), i32.shl, i32.add, i32.load(), set(target)),
  );
}

/** Samples of one pair: the centre, then the negatives; one that is the centre itself is left out. */
function samples(): Code {
  return seq(
    seq(get(centre), set(target), i32.const(0), set(sample), get(scratch), set(entriesEnd)),
    op.loop(
      op.block(
        seq(get(sample), op.when(draw())),
        seq(get(sample), i32.eqz, i32.eqz, get(target), get(centre), i32.eq, i32.and, op.branchIf(0)),
        seq(place(output, target), set(column)),
        dot(),
        keepEntry(),
      ),
      addTo(sample, i32.const(1)),
      seq(get(sample), get(negatives), i32.const(1), i32.add, i32.ltU, op.branchIf(0)),
    ),
  );
}

/** Moves the context's row and the samples' columns, cache line by cache line. */
function update(): Code {
  const parts = [0, 1, 2, 3] as const;
  const old = (part: number) => vector[part] ?? 0;
  const moved = (part: number) => vector[part + 4] ?? 0;
  return seq(
    seq(i32.const(0), set(at)),
    op.loop(
      ...parts.map((part) =>
        seq(get(row), get(at), i32.add, v128.load(part * 16), tee(old(part)), set(moved(part))),
      ),
      seq(get(scratch), set(entry)),
      op.loop(
        seq(get(entry), i32.load(), get(at), i32.add, set(column), get(entry), v128.load(16), set(steps)),
        ...parts.map((part) =>
          seq(
            seq(get(moved(part)), get(steps), get(column), v128.load(part * 16), f32x4.mul, f32x4.add),
            set(moved(part)),
            seq(get(column), get(column), v128.load(part * 16), get(steps), get(old(part)), f32x4.mul),
            seq(f32x4.add, v128.store(part * 16)),
          ),
        ),
        seq(addTo(entry, i32.const(32)), get(entry), get(entriesEnd), i32.ltU, op.branchIf(0)),
      ),
      ...parts.map((part) => seq(get(row), get(at), i32.add, get(moved(part)), v128.store(part * 16))),
      seq(addTo(at, i32.const(64)), get(at), get(stride), i32.ltU, op.branchIf(0)),
    ),
  );
}

/** The kernel's module; its memory may have so many pages of 64 KiB. */
export function kernelModule(maximumPages: number): Uint8Array<ArrayBuffer> {
  const { i32: int, f32: float, f64: double, v128: lanes } = valueType;
  const body = seq(
    op.block(
      seq(get(pairs), get(end), i32.ltU, i32.eqz, op.branchIf(0)),
      op.loop(
        seq(get(pairs), i32.load(), set(target), place(input, target), set(row)),
        seq(get(pairs), i32.load(4), set(centre)),
        samples(),
        update(),
        seq(addTo(pairs, i32.const(8)), get(pairs), get(end), i32.ltU, op.branchIf(0)),
      ),
    ),
    get(loss),
  );
  return encodeModule(
    {
      name: 'train',
      parameters: [int, int, int, int, float, int, int, int, int, int, int, int],
      result: double,
      locals: [...new Array<number>(9).fill(int), float, double, ...new Array<number>(9).fill(lanes)],
      body,
    },
    maximumPages,
  );
}

/** What of the global `WebAssembly` is used; there are no types for it without those of a browser. */
interface WebAssemblyApi {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => { readonly buffer: SharedArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}

type Train = (...values: readonly number[]) => number;

const pageBytes = 65_536;

function api(): WebAssemblyApi | undefined {
  return (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
}

/** Memory that threads share; a WebAssembly memory where this process can run the kernel's module. */
export interface TrainingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly wasm?: { readonly memory: object; readonly pages: number };
}

/** Makes a training's memory; `plain` leaves WebAssembly out. */
export function makeMemory(bytes: number, plain = false): TrainingMemory {
  const pages = Math.ceil(bytes / pageBytes);
  const wasm = plain ? undefined : api();
  if (!wasm?.validate(kernelModule(pages))) return { buffer: new SharedArrayBuffer(pages * pageBytes) };
  const memory = new wasm.Memory({ initial: pages, maximum: pages, shared: true });
  return { buffer: memory.buffer, wasm: { memory, pages } };
}

/** The kernel in WebAssembly where the memory is one of WebAssembly, otherwise in TypeScript. */
export function makeKernel(
  { buffer, wasm }: TrainingMemory,
  layout: SkipGramLayout,
  negativeSamples: number,
): Kernel {
  const found = api();
  if (!wasm || !found) return plainKernel(buffer, layout, negativeSamples);
  const module = new found.Module(kernelModule(wasm.pages));
  const { exports } = new found.Instance(module, { env: { memory: wasm.memory } });
  const train = exports['train'] as Train;
  return (bucket) =>
    train(
      ...[bucket.pairs, bucket.pairs + bucket.count * 8, layout.stride, negativeSamples, bucket.rate],
      ...[bucket.random, bucket.table, bucket.tableSize - 1, layout.input, layout.output],
      ...[bucket.scratch, layout.sigmoids],
    );
}
