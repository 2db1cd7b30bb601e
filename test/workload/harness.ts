import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { freshDir } from '../fresh-dir.ts';

const images: Readonly<Record<string, string>> = {
  prepare: 'data-pipeline',
  train: 'ml-engine',
  index: 'ml-engine',
  cache: 'ml-engine',
  deploy: 'deployer',
};

/** How a stage ended. */
export interface StageEnd {
  readonly code: number | null;
  readonly result: Record<string, unknown>;
  readonly stdout: string;
  readonly stderr: string;
}

/** One tenant's run on real processes, stage by stage. */
export function openWorkload(seed = 7) {
  const root = freshDir();
  const objects = createFileObjectStore({ root: join(root, 'objects') });
  mkdirSync(join(root, 'objects'));
  const prefix = (stage: string, attempt = 1) => `s3://data-bucket/acme/runs/r1/${stage}/${attempt}/`;
  const inputs: Readonly<Record<string, () => Record<string, string>>> = {
    train: () => ({ data: prefix('prepare'), checkpoints: 's3://data-bucket/acme/runs/r1/train/' }),
    index: () => ({ data: prefix('prepare'), model: prefix('train') }),
    deploy: () => ({ data: prefix('prepare'), model: prefix('train'), index: prefix('index') }),
    cache: () => ({ data: prefix('prepare'), model: prefix('train'), index: prefix('index') }),
  };
  const args: Readonly<Record<string, (attempt: number) => string[]>> = {
    prepare: (attempt) => ['--output', prefix('prepare', attempt)],
    train: () => ['--model-type', 'skipgram', '--epochs', '10'],
    index: () => ['--build-index'],
    deploy: () => ['--model-path', `${prefix('train')}model.bin`],
    cache: () => ['--refresh-cache'],
  };

  interface Choices {
    readonly documents?: string;
    readonly attempt?: number;
    readonly options?: Record<string, number>;
    readonly args?: string[];
    readonly env?: Record<string, string | undefined>;
    readonly inputs?: Record<string, string>;
    /** Called with every line of stdout. */
    readonly onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void;
  }

  async function stage(name: string, choices: Choices = {}): Promise<StageEnd> {
    const attempt = choices.attempt ?? 1;
    const resultPath = join(root, `${name}-${attempt}.json`);
    const given =
      choices.inputs ?? (name === 'prepare' ? { documents: choices.documents ?? '' } : inputs[name]?.());
    const env: Record<string, string | undefined> = {
      PATH: process.env['PATH'],
      EPSILON_RUN_ID: 'r1',
      EPSILON_TRAINING_STAGE: name,
      EPSILON_ATTEMPT: String(attempt),
      EPSILON_INPUTS: JSON.stringify(given),
      EPSILON_OUTPUT: prefix(name, attempt),
      EPSILON_FENCE: '1',
      EPSILON_SEED: String(seed),
      EPSILON_RESULT_PATH: resultPath,
      EPSILON_OBJECTS_ROOT: join(root, 'objects'),
      EPSILON_OPTIONS: JSON.stringify(choices.options ?? {}),
      ...choices.env,
    };
    const defined = Object.fromEntries(
      Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const child = spawn(
      process.execPath,
      [
        resolve('workload', images[name] ?? '', 'main.ts'),
        '--tenant-id',
        'acme',
        ...(choices.args ?? args[name]?.(attempt) ?? []),
      ],
      { env: defined },
    );
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString();
      for (const line of text.toString().split('\n'))
        if (line !== '') choices.onLine?.(line, (signal) => child.kill(signal));
    });
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString();
    });
    const code = await new Promise<number | null>((done) => child.once('close', (value) => done(value)));
    const result = existsSync(resultPath)
      ? (JSON.parse(readFileSync(resultPath, 'utf8')) as Record<string, unknown>)
      : {};
    return { code, result, stdout, stderr };
  }

  return { root, objects, prefix, stage };
}

/** A folder of `count` different documents about a few subjects. */
export function documentsFolder(count: number): string {
  const folder = freshDir();
  const subjects = [
    'cats sleep on warm roofs and hunt mice',
    'rockets burn fuel and climb through clouds',
    'bakers knead dough and bake bread',
    'rivers carry water from mountains to seas',
  ];
  for (let index = 0; index < count; index += 1) {
    const subject = subjects[index % subjects.length] ?? '';
    writeFileSync(
      join(folder, `doc-${String(index).padStart(3, '0')}.md`),
      `# Number ${index}\n\n${`${subject} every day ${index}. `.repeat(12)}\n\nAnother paragraph: ${subject}, as chapter ${index} of this book explains in detail.\n`,
    );
  }
  return folder;
}
