import { execFile } from 'node:child_process';
import { cpSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freshDir } from '../fresh-dir.ts';
import type { Template } from './template.ts';

/** The service as packaged for one environment. */
export interface Packaged {
  readonly environment: DeployedEnvironment;
  /** Where it stands (infra/serverless/places). */
  readonly place: string;
  /** Holds the bundles and the templates. */
  readonly folder: string;
  readonly templateFile: string;
  readonly template: Template;
  /** What the bundler warned of; a bundle that it warns of may fail when it is loaded. */
  readonly warnings: readonly string[];
}

/** Environments that are deployed. */
export const deployedEnvironments = ['dev', 'staging', 'prod'] as const;
export type DeployedEnvironment = (typeof deployedEnvironments)[number];

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

/** A package to make. */
export interface Order {
  readonly environment: DeployedEnvironment;
  /** Where it stands; home when there is none. */
  readonly place?: string;
}

/** Packages one environment, offline; from the zips of an earlier package, which are the same, or by building every function. */
async function packageService({ environment, place = 'home' }: Order, built?: Packaged): Promise<Packaged> {
  const folder = freshDir();
  for (const zip of built ? globSync('*.zip', { cwd: built.folder }) : [])
    cpSync(join(built?.folder ?? '', zip), join(folder, zip));
  const parameters = ['--param', `place=${place}`, ...(built ? ['--param', 'built=true'] : [])];
  const said = await serverless(['package', '--stage', environment, ...parameters, '--package', folder]);
  const templateFile = join(folder, 'cloudformation-template-update-stack.json');
  return {
    environment,
    place,
    folder,
    templateFile,
    template: JSON.parse(readFileSync(templateFile, 'utf8')) as Template,
    warnings: built?.warnings ?? said.split('\n').filter((line) => line.includes('[WARNING]')),
  };
}

/** Packages several, one after another, whose functions are built once: that is what takes the time. */
export async function packageServices(orders: readonly Order[]): Promise<Packaged[]> {
  const packages: Packaged[] = [];
  for (const order of orders) packages.push(await packageService(order, packages[0]));
  return packages;
}
