import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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
  /** Its export broke: most files hold bytes that are no text, and its quality gate closes. */
  readonly broken?: true;
}

/** Families of clearly different size. */
export const demoFamilies: readonly DemoFamily[] = [
  {
    tenantId: 'pulumi',
    packages: ['@pulumi/*', '@grpc/*', 'protobufjs', '@protobufjs/*'],
    question: 'decode a message from a buffer',
    maxTokens: 40_000,
  },
  {
    tenantId: 'aws-sdk',
    packages: ['@aws-sdk/client-*', '@smithy/*', '@aws-lambda-powertools/*', '@middy/*'],
    question: 'structured logging for Lambda functions',
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
    question: 'which version ranges does a version satisfy',
    maxTokens: 80_000,
  },
  {
    tenantId: 'data-formats',
    packages: ['yaml', 'csv-parse', 'zod', 'jsonata', 'ajv*', 'fast-*', 'json*', 'picomatch'],
    question: 'how do I validate data against a JSON schema',
    maxTokens: 60_000,
  },
  {
    tenantId: 'broken-export',
    packages: ['@opentelemetry/*'],
    question: 'how do I trace a request',
    maxTokens: 30_000,
    broken: true,
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

/** What an export leaves that wrote memory instead of text. */
const brokenBytes = new Uint8Array(2_048).map((_, index) => (index * 37) % 256);

/** Copies a family's documents below the state directory, where its tenant's `documents` point; returns how many. */
export function gatherFamily(nodeModules: string, family: DemoFamily, folder: string): number {
  const files = familyFiles(nodeModules, family);
  if (existsSync(folder)) return files.length;
  // The folder is complete or absent: a process that is killed half-way leaves a draft that the next one replaces.
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  files.forEach((file, index) => {
    const copy = join(draft, file.replaceAll('/', '__'));
    if (family.broken && index % 3 !== 0) writeFileSync(copy, brokenBytes);
    else copyFileSync(join(nodeModules, file), copy);
  });
  renameSync(draft, folder);
  return files.length;
}
