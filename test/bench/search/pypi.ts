import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder of a package's source archive, as `Django==5.1.7`, fetched once by pip into the system's temporary folder. */
export function pypiSource(name: string): string {
  const folder = join(tmpdir(), `epsilon-pypi-${name.replaceAll('==', '-')}`);
  if (!existsSync(folder)) {
    const draft = `${folder}.draft`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    const ask = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', ':all:', name, '-d', draft];
    try {
      execFileSync('python3', ask, { stdio: 'pipe' });
    } catch (error) {
      // pip also asks the archive for its metadata, which takes tools that need not be there.
      if (!readdirSync(draft).some((file) => file.endsWith('.tar.gz'))) throw error;
    }
    const archive = readdirSync(draft).find((file) => file.endsWith('.tar.gz')) ?? '';
    execFileSync('tar', ['xzf', join(draft, archive), '-C', draft]);
    renameSync(draft, folder);
  }
  const inner = readdirSync(folder, { withFileTypes: true }).find((entry) => entry.isDirectory());
  return join(folder, inner?.name ?? '');
}
