import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tokenize } from '../../../lib/training/models/vectors/tokens.ts';
import { readManifest, streamPassages } from '../../../workload/job/artifacts.ts';
import { writeDocuments } from '../../bench/documents.ts';
import { freshDir } from '../../fresh-dir.ts';
import { openWorkload } from '../../workload/harness.ts';

/** gensim's release that is compared with. */
const release = '4.4.0';

/** Bytes of documents: about 1.1 million words. */
const size = 8_000_000;

/** Seconds of a training, as the clock and as the processor has them. */
export interface TrainingTime {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Training here and with gensim, on one core each; or why that was not measured. */
export type GensimComparison =
  | {
      readonly gensimVersion: string;
      readonly tokens: number;
      readonly here: TrainingTime;
      readonly gensim: TrainingTime;
      readonly timesItsSeconds: number;
      readonly timesItsCpuSeconds: number;
    }
  | { readonly notMeasured: string };

/** A Python that has gensim, in a virtual environment below the system's temporary folder; or why there is none. */
function pythonWithGensim(): { readonly python: string } | { readonly notMeasured: string } {
  const folder = join(tmpdir(), `epsilon-gensim-${release}`);
  const python = join(folder, 'bin/python');
  try {
    if (!existsSync(join(folder, 'ready'))) {
      rmSync(folder, { recursive: true, force: true });
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', `gensim==${release}`], { stdio: 'pipe' });
      execFileSync(python, ['-c', 'import gensim'], { stdio: 'pipe' });
      writeFileSync(join(folder, 'ready'), '');
    }
    return { python };
  } catch (error) {
    return {
      notMeasured: `gensim ${release} could not be installed: ${(error as Error).message.slice(0, 300)}`,
    };
  }
}

/** The training stage here, on one core. */
async function trainHere(workload: ReturnType<typeof openWorkload>): Promise<TrainingTime> {
  const measured = join(workload.root, 'measured.json');
  const began = performance.now();
  const end = await workload.stage('train', {
    env: {
      EPSILON_CPUS: '1',
      NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, '../../bench/measure-stage.ts')).href}`,
      EPSILON_MEASURE_PATH: measured,
    },
  });
  if (end.code !== 0) throw new Error(`train ended with ${end.code}: ${end.stderr}`);
  const { cpuSeconds } = JSON.parse(readFileSync(measured, 'utf8')) as { readonly cpuSeconds: number };
  return { seconds: (performance.now() - began) / 1_000, cpuSeconds };
}

/**
 * The same work, one after the other: 8 MB, about 1.1 million words, 64 dimensions, window 5, 8 negatives, 10 epochs. Here the whole
 * stage is timed (start, reading, training, writing), of gensim counting and training alone.
 */
export async function compareWithGensim(): Promise<GensimComparison> {
  const found = pythonWithGensim();
  if ('notMeasured' in found) return found;
  const folder = freshDir();
  const workload = openWorkload();
  try {
    const documents = join(folder, 'documents.jsonl');
    await writeDocuments(documents, size);
    const prepared = await workload.stage('prepare', { documents: pathToFileURL(documents).href });
    if (prepared.code !== 0) throw new Error(`prepare ended with ${prepared.code}: ${prepared.stderr}`);
    const prefix = workload.prefix('prepare');
    const manifest = await readManifest(workload.objects, prefix);
    const lines: string[] = [];
    for await (const { text } of streamPassages(workload.objects, prefix, manifest))
      lines.push(`${tokenize(text).join(' ')}\n`);
    const sentences = join(folder, 'sentences.txt');
    writeFileSync(sentences, lines.join(''));
    const here = await trainHere(workload);
    const script = join(import.meta.dirname, 'train.py');
    const said = execFileSync(found.python, [script, sentences, '1'], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    });
    const { version, tokens, seconds, cpuSeconds } = JSON.parse(said) as TrainingTime & {
      readonly version: string;
      readonly tokens: number;
    };
    return {
      gensimVersion: version,
      tokens,
      here,
      gensim: { seconds, cpuSeconds },
      timesItsSeconds: here.seconds / seconds,
      timesItsCpuSeconds: here.cpuSeconds / cpuSeconds,
    };
  } finally {
    for (const each of [folder, workload.root]) rmSync(each, { recursive: true, force: true });
  }
}
