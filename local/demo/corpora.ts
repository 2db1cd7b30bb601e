import { copyFileSync, existsSync, globSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A demo tenant: a family of the packages that are installed here. */
export interface DemoFamily {
  readonly tenantId: string;
  /** Folders below node_modules, as globs. */
  readonly packages: readonly string[];
  /** A question its documents should answer. */
  readonly question: string;
  /** Tokens of training data; the rest of a large family is left out. */
  readonly maxTokens: number;
}

/** Families of clearly different size. */
export const demoFamilies: readonly DemoFamily[] = [
  {
    tenantId: 'pulumi',
    packages: ['@pulumi/*', '@grpc/*', 'protobufjs', '@protobufjs/*'],
    question: 'deploy infrastructure with a stack',
    maxTokens: 40_000,
  },
  {
    tenantId: 'aws-sdk',
    packages: ['@aws-sdk/client-*', '@smithy/*', '@aws-lambda-powertools/*', '@middy/*'],
    question: 'how do I retry a failed request',
    maxTokens: 150_000,
  },
  {
    tenantId: 'build-tools',
    packages: [
      'esbuild',
      'vitest',
      'typescript',
      '@biomejs/*',
      'rollup',
      'vite',
      'acorn*',
      'commander',
      'dependency-cruiser',
      'chalk',
      'semver',
    ],
    question: 'how do I run the tests in watch mode',
    maxTokens: 80_000,
  },
  {
    tenantId: 'data-formats',
    packages: ['yaml', 'csv-parse', 'zod', 'jsonata', 'ajv*', 'fast-*', 'json*', 'picomatch'],
    question: 'how do I parse a file with headers',
    maxTokens: 60_000,
  },
];

/** Names of documents inside a package. */
const documents = '{README,MIGRATION,CONTRIBUTING,UPGRADING,SECURITY}*';

/** Files larger than this are generated lists rather than documents. */
const largest = 400_000;

/** Documentation files of a family that are installed here, in a stable order. */
export function familyFiles(nodeModules: string, family: DemoFamily): string[] {
  const patterns = family.packages.flatMap((name) => [
    `${name}/${documents}`,
    `${name}/docs/**/*.md`,
    `${name}/doc/**/*.md`,
  ]);
  return globSync(patterns, { cwd: nodeModules })
    .filter((file) => /\.(md|markdown)$/i.test(file))
    .filter((file) => {
      const found = statSync(join(nodeModules, file), { throwIfNoEntry: false });
      return found?.isFile() === true && found.size <= largest;
    })
    .sort();
}

/** Copies a family's documents below the state directory, where its tenant's `documents` point; returns how many. */
export function gatherFamily(nodeModules: string, family: DemoFamily, folder: string): number {
  const files = familyFiles(nodeModules, family);
  if (existsSync(folder)) return files.length;
  // The folder is complete or absent: a process that is killed half-way leaves a draft that the next one replaces.
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  for (const file of files) copyFileSync(join(nodeModules, file), join(draft, file.replaceAll('/', '__')));
  renameSync(draft, folder);
  return files.length;
}
