import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freshDir } from '../fresh-dir.ts';
import type { Template } from './template.ts';

/** The service as packaged for one environment. */
export interface Packaged {
  readonly environment: string;
  /** Holds the bundles and the templates. */
  readonly folder: string;
  readonly templateFile: string;
  readonly template: Template;
  /** What the bundler warned of; a bundle that it warns of may fail when it is loaded. */
  readonly warnings: readonly string[];
}

/** Environments that are deployed. */
export const deployedEnvironments = ['dev', 'staging', 'prod'] as const;

/** Runs Serverless in a folder, without credentials; the answer of a failed run is its output. */
export async function serverless(args: readonly string[], cwd = resolve('.')): Promise<string> {
  const program = resolve('node_modules/serverless/bin/serverless.js');
  const env = { PATH: process.env['PATH'], HOME: freshDir(), AWS_EC2_METADATA_DISABLED: 'true' };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args], {
    cwd,
    env,
  }).catch((error: { stdout?: string; stderr?: string }) => {
    throw new Error(`serverless ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  });
  return stdout + stderr;
}

/** Packages one environment, offline. */
export async function packageService(environment: string): Promise<Packaged> {
  const folder = freshDir();
  const said = await serverless(['package', '--stage', environment, '--package', folder]);
  const templateFile = join(folder, 'cloudformation-template-update-stack.json');
  return {
    environment,
    folder,
    templateFile,
    template: JSON.parse(readFileSync(templateFile, 'utf8')) as Template,
    warnings: said.split('\n').filter((line) => line.includes('[WARNING]')),
  };
}
