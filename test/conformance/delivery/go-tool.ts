import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const tools = resolve('node_modules/.cache/epsilon-go');

/** Installs a program from the Go module proxy, once; it is named like the last part of its module, or otherwise. Returns its path. */
export function goTool(module: string, version: string, name = module.split('/').at(-1) ?? module): string {
  const folder = join(tools, version);
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true });
  if (spawnSync(path, ['-v']).status !== null) return path;
  const made = spawnSync('go', ['install', `${module}@${version}`], {
    encoding: 'utf8',
    env: { ...process.env, GOBIN: folder },
  });
  if (made.status !== 0) throw new Error(made.stderr);
  return path;
}
