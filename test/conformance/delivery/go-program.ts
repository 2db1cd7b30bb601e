import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const cache = resolve('node_modules/.cache/epsilon-go');

/** Builds a program of a Go module beside this file, once, whose modules come from the Go proxy; its own without a package. Returns its path. */
export function goProgram(name: string, ...what: readonly string[]): string {
  const source = join(import.meta.dirname, name);
  const hash = createHash('sha256');
  for (const file of readdirSync(source).sort()) hash.update(readFileSync(join(source, file)));
  const program = join(cache, `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  process.stdout.write(`building ${name}, once ...\n`);
  const built = spawnSync(
    'go',
    ['build', '-ldflags', '-s -w', '-o', program, ...(what.length > 0 ? what : ['.'])],
    {
      cwd: source,
      encoding: 'utf8',
    },
  );
  if (built.status !== 0) throw new Error(built.stderr);
  return program;
}
