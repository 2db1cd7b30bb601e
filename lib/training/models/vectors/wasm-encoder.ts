/** Bytes of WebAssembly code; pieces are joined by `seq`. */
export type Code = readonly number[];

/** Value types of WebAssembly, by their binary codes. */
export const valueType = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** An unsigned number in LEB128. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** A signed 32-bit number in LEB128. */
function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

/** Joins pieces of code. */
export function seq(...pieces: readonly Code[]): Code {
  return pieces.flat();
}

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const access = (opcode: Code, align: number, offset: number): Code => [...opcode, align, ...unsigned(offset)];

function floatBytes(value: number): Code {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

/** The instructions that the training kernel uses, named as in the WebAssembly specification. */
export const op = {
  get: (local: number): Code => [0x20, ...unsigned(local)],
  set: (local: number): Code => [0x21, ...unsigned(local)],
  tee: (local: number): Code => [0x22, ...unsigned(local)],
  /** Runs the body; `repeat(0)` inside it starts it again. */
  loop: (...body: readonly Code[]): Code => [0x03, 0x40, ...seq(...body), 0x0b],
  /** Runs the body; `leave(depth)` inside it jumps behind it. */
  block: (...body: readonly Code[]): Code => [0x02, 0x40, ...seq(...body), 0x0b],
  /** Jumps to the enclosing loop or block of this depth if the value on the stack is not 0. */
  branchIf: (depth: number): Code => [0x0d, ...unsigned(depth)],
  when: (...body: readonly Code[]): Code => [0x04, 0x40, ...seq(...body), 0x0b],
  /** Of the two values below the top of the stack the first if the top is not 0, otherwise the second. */
  select: [0x1b] as Code,
  i32: {
    const: (value: number): Code => [0x41, ...signed(value)],
    load: (offset = 0): Code => access([0x28], 2, offset),
    store: (offset = 0): Code => access([0x36], 2, offset),
    eqz: [0x45] as Code,
    eq: [0x46] as Code,
    ltU: [0x49] as Code,
    add: [0x6a] as Code,
    mul: [0x6c] as Code,
    and: [0x71] as Code,
    xor: [0x73] as Code,
    shl: [0x74] as Code,
    shrU: [0x76] as Code,
    truncSatF32: [0xfc, 0x00] as Code,
  },
  f32: {
    const: (value: number): Code => [0x43, ...floatBytes(value)],
    load: (offset = 0): Code => access([0x2a], 2, offset),
    floor: [0x8e] as Code,
    add: [0x92] as Code,
    sub: [0x93] as Code,
    mul: [0x94] as Code,
    min: [0x96] as Code,
    max: [0x97] as Code,
  },
  f64: { add: [0xa0] as Code, promote: [0xbb] as Code },
  v128: {
    load: (offset = 0): Code => access(simd(0x00), 2, offset),
    store: (offset = 0): Code => access(simd(0x0b), 2, offset),
    zero: [...simd(0x0c), ...new Array<number>(16).fill(0)] as Code,
  },
  f32x4: {
    splat: simd(0x13),
    lane: (lane: number): Code => [...simd(0x1f), lane],
    add: simd(0xe4),
    mul: simd(0xe6),
  },
} as const;

const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];
const name = (text: string): Code => [...unsigned(text.length), ...Buffer.from(text, 'ascii')];

/** One exported function over an imported, shared memory `env.memory`. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly result: number;
  /** Types of the locals behind the parameters. */
  readonly locals: readonly number[];
  readonly body: Code;
}

/** A whole module with one function; `maximumPages` bounds the imported memory (64 KiB a page). */
export function encodeModule(it: WasmFunction, maximumPages: number): Uint8Array<ArrayBuffer> {
  const type = [1, 0x60, it.parameters.length, ...it.parameters, 1, it.result];
  const memory = [0x02, 0x03, ...unsigned(1), ...unsigned(maximumPages)];
  const locals = [...unsigned(it.locals.length), ...it.locals.flatMap((one) => [1, one])];
  const code = [...locals, ...it.body, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, type),
    ...section(2, [1, ...name('env'), ...name('memory'), ...memory]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name(it.name), 0x00, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}
