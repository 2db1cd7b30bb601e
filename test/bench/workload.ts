import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compareWithGensim } from '../conformance/gensim/compare.ts';
import { freshDir } from '../fresh-dir.ts';
import { openWorkload } from '../workload/harness.ts';
import { writeDocuments } from './documents.ts';

const stages = ['prepare', 'train', 'index', 'deploy', 'cache'] as const;
const measuredParts = [...stages, 'query'] as const;

/** What bounds the memory of each stage, besides Node itself. */
const bounds: Readonly<Record<(typeof measuredParts)[number], string>> = {
  prepare: '8 bytes a document and a passage in two tables that double: 24 to 46 bytes a document',
  train: 'counts of at most 2 million words, rows of at most 256 MiB, two matrices of at most 20,000 words',
  index:
    'vectors of at most 256 MiB, ids of at most 64 MiB, 4 bytes a passage, word lists of 4 million places; the rest goes to objects',
  deploy: 'some rows of the index at a time',
  cache: 'some rows of the index and a shard of passages at a time',
  query: "some 40 bytes a passage, and 26 for each of the question's words that it has",
};

/** The word behind an option, as `--size 5GB` or `--size=5GB`. */
function optionOf(words: readonly string[], name: string): string | undefined {
  const at = words.indexOf(name);
  return at < 0 ? words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) : words[at + 1];
}

const units: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9 };

/** Bytes of `--size`, for example 500MB or 5GB. */
function sizeOf(words: readonly string[]): number {
  const given = optionOf(words, '--size');
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMG]?)B?$/i.exec(given ?? '8MB') ?? [];
  const bytes = Number(number) * (units[(unit ?? '').toUpperCase()] ?? Number.NaN);
  if (!Number.isFinite(bytes) || bytes < 1e5)
    throw new Error(`--size ${given} is no size of 100KB or more (8MB, 500MB, 5GB)`);
  return bytes;
}

/** Seconds, processor seconds and largest memory of one stage. */
interface Figures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly mebibytes: number;
}

/** One question to the trained model, as `epsilon query` asks it, in a process of its own. */
function askOne(
  { root, prefix }: ReturnType<typeof openWorkload>,
  env: Readonly<Record<string, string>>,
  measured: string,
): Figures {
  process.stderr.write('  query ...\n');
  const began = performance.now();
  const program = join(import.meta.dirname, 'ask-one.ts');
  const uris = [`${prefix('train')}model.bin`, `${prefix('index')}index.faiss`, prefix('prepare')];
  execFileSync(process.execPath, [program, join(root, 'objects'), ...uris], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const seconds = (performance.now() - began) / 1_000;
  return { seconds, ...(JSON.parse(readFileSync(measured, 'utf8')) as Omit<Figures, 'seconds'>) };
}

/** What the training stage is bounded by. */
interface Training {
  readonly epochs: string;
  /** Words that are trained on, as the option `maxTokens` of a tenant; all without it. */
  readonly maxTokens: number | undefined;
}

function trainingOf(words: readonly string[]): Training {
  const most = optionOf(words, '--max-tokens');
  if (most !== undefined && !/^[1-9]\d{0,11}$/.test(most))
    throw new Error(`--max-tokens ${most} is no number of words`);
  return {
    epochs: optionOf(words, '--epochs') ?? '10',
    maxTokens: most === undefined ? undefined : Number(most),
  };
}

/** Stages of `--stages=prepare,train,index`, in the order in which they need each other; all and a question without it. */
function partsOf(words: readonly string[]): readonly (typeof measuredParts)[number][] {
  const given = optionOf(words, '--stages')?.split(',');
  if (given === undefined) return measuredParts;
  const unknown = given.find((name) => !measuredParts.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`--stages ${unknown}: there are ${measuredParts.join(', ')}`);
  return measuredParts.filter((part) => given.includes(part));
}

async function runStages(
  documents: string,
  { epochs, maxTokens }: Training,
  parts: readonly string[],
): Promise<Record<string, Figures>> {
  const workload = openWorkload();
  const measured = join(workload.root, 'measured.json');
  const env = {
    NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'measure-stage.ts')).href}`,
    EPSILON_MEASURE_PATH: measured,
    EPSILON_CPUS: process.env['EPSILON_BENCH_CPUS'] ?? '1',
  };
  const figures: Record<string, Figures> = {};
  try {
    for (const stage of stages.filter((name) => parts.includes(name))) {
      process.stderr.write(`  ${stage} ...\n`);
      const began = performance.now();
      const end = await workload.stage(stage, {
        documents: pathToFileURL(documents).href,
        env,
        ...(stage === 'train' ? { args: ['--model-type', 'skipgram', '--epochs', epochs] } : {}),
        ...(stage === 'train' && maxTokens !== undefined ? { options: { maxTokens } } : {}),
      });
      if (end.code !== 0) throw new Error(`${stage} ended with ${end.code}: ${end.stderr}`);
      const seconds = (performance.now() - began) / 1_000;
      figures[stage] = {
        seconds,
        ...(JSON.parse(readFileSync(measured, 'utf8')) as Omit<Figures, 'seconds'>),
      };
      // A large run takes hours: what is known already is not lost with it.
      process.stderr.write(`  ${stage} ${JSON.stringify(figures[stage])}\n`);
    }
    if (parts.includes('query')) figures['query'] = askOne(workload, env, measured);
    return figures;
  } finally {
    rmSync(workload.root, { recursive: true, force: true });
  }
}

/**
 * The stages of one tenant and a question to its model as processes, over `--size` of documents (training for `--epochs` on `--max-tokens` words) and over a quarter of it: seconds, memory, and whether four
 * times as much takes four times as long; and training beside gensim's on one core, in the same run. `--stages=prepare,train,index` runs these alone,
 * and `--whole` leaves the quarter out: what memory a large size takes is known in half the time.
 */
export async function benchWorkload(): Promise<Record<string, unknown>> {
  const size = sizeOf(process.argv);
  const training = trainingOf(process.argv);
  const parts = partsOf(process.argv);
  const isWhole = process.argv.includes('--whole');
  const folder = freshDir();
  try {
    const [small, large] = [join(folder, 'quarter.jsonl'), join(folder, 'whole.jsonl')];
    if (!isWhole) await writeDocuments(small, size / 4);
    const documents = await writeDocuments(large, size);
    const whole = await runStages(large, training, parts);
    const quarter = isWhole ? undefined : await runStages(small, training, parts);
    const perStage = parts.map((stage) => {
      const [part, all] = [quarter?.[stage], whole[stage]];
      if (!all || (quarter && !part)) throw new Error(`${stage} was not measured`);
      return [
        stage,
        {
          ...all,
          megabytesPerSecond: size / 1e6 / all.seconds,
          ...(part ? { cpuOfFourTimesAsMuch: all.cpuSeconds / part.cpuSeconds } : {}),
          boundOfMemory: bounds[stage],
        },
      ] as const;
    });
    return {
      megabytes: statSync(large).size / 1e6,
      documents,
      epochs: Number(training.epochs),
      ...(training.maxTokens === undefined ? {} : { maxTokens: training.maxTokens }),
      ...Object.fromEntries(perStage),
      // Beside the words of a bounded training gensim's would be others.
      ...(training.maxTokens === undefined && !isWhole ? { gensim: await compareWithGensim() } : {}),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
