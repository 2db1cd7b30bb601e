import { spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileDigest } from './folder-digest.ts';

/** Interpreters that say their version when they are asked; nothing else is run in order to know it. */
const interpreters = /^(python|pypy|node|ruby|perl|julia|Rscript|java|php|bun|deno)[\d.]*$/;

/** Milliseconds in which an interpreter has to say its version. */
const versionTimeoutMs = 10_000;

/** Answers by program, its state and what it was asked with. */
const answers = new Map<string, string>();

/** How a program is asked. */
export interface Asking {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

function versionOf(program: string, { folder, env }: Asking): string {
  const flag = basename(program).startsWith('java') ? '-version' : '--version';
  const { stdout, stderr } = spawnSync(program, [flag], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: versionTimeoutMs,
  });
  return `${stdout ?? ''}${stderr ?? ''}`.trim();
}

/** What distinguishes a program from another one at the same place: an interpreter's version, the content of anything else. */
export function programIdentity(program: string, asking: Asking): string {
  const path = realpathSync(program);
  const { mtimeMs, ctimeMs, size, ino } = statSync(path);
  const stamp = `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  if (!interpreters.test(basename(program))) return fileDigest(path, stamp);
  const key = JSON.stringify([program, path, stamp, asking]);
  const answer = answers.get(key) ?? versionOf(program, asking);
  answers.set(key, answer);
  return answer;
}
