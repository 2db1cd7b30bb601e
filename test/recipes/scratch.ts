import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freshDir } from '../fresh-dir.ts';
import type { Edit } from './edits.ts';

/** Everything that is declared, coded or tested; packages are linked. */
const copied = [
  ...['cli', 'docs', 'events', 'functions', 'infra', 'lib', 'local', 'statemachines', 'test', 'watcher'],
  ...['workload', 'serverless.yml', 'package.json', 'tsconfig.json', 'vitest.config.ts'],
];

/** A copy of the project that may be changed. */
export function scratchCopy(): string {
  const folder = freshDir();
  for (const name of copied) cpSync(name, join(folder, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Applies edits to files of a copy. */
export function edit(folder: string, edits: Readonly<Record<string, Edit>>): void {
  for (const [file, change] of Object.entries(edits)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFileSync(path, change(existsSync(path) ? readFileSync(path, 'utf8') : undefined));
    } catch (error) {
      throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** Runs a program of node_modules in a copy. Error: the output of one that failed. */
async function run(folder: string, program: string, args: readonly string[]): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: folder };
  await promisify(execFile)(process.execPath, [join(folder, 'node_modules', program), ...args], {
    cwd: folder,
    env,
  }).catch((error: { stdout?: string; stderr?: string }) => {
    throw new Error(`${program} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  });
}

/** Checks the types of files and of what they import. Throws what the compiler says. */
export async function checkTypes(folder: string, files: readonly string[]): Promise<void> {
  const config = 'tsconfig.recipes.json';
  writeFileSync(join(folder, config), JSON.stringify({ extends: './tsconfig.json', include: [], files }));
  await run(folder, 'typescript/bin/tsc', ['--noEmit', '-p', config]);
}

/** Runs test files of a copy; gives how many tests passed. Error: the report, when one failed or none ran. */
export async function runTests(folder: string, files: readonly string[]): Promise<number> {
  const report = join(folder, 'report.json');
  await run(folder, 'vitest/vitest.mjs', [
    ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ...files,
  ]);
  const counts = JSON.parse(readFileSync(report, 'utf8')) as Readonly<Record<string, number>>;
  const { numPassedTests: passed = 0, numTotalTests: total } = counts;
  if (passed === 0 || passed !== total) throw new Error(`${passed} of ${total} tests passed.`);
  return passed;
}
