import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A Python with boto3 and moto, in a virtual environment below the system's temporary folder. */
function pythonWithMoto(): string {
  const folder = join(tmpdir(), 'epsilon-moto-s3-sts');
  const python = join(folder, 'bin/python');
  if (existsSync(join(folder, 'ready'))) return python;
  rmSync(folder, { recursive: true, force: true });
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'boto3', 'moto[s3,sts]'], { stdio: 'pipe' });
  writeFileSync(join(folder, 'ready'), '');
  return python;
}

/** Credentials and objects of the examples on AWS, against moto and a stand-in for the API that lends credentials. */
export function checkAws(expect: (what: string, holds: boolean) => void): void {
  let python: string;
  try {
    python = pythonWithMoto();
  } catch (error) {
    expect(`moto can be installed: ${(error as Error).message.slice(0, 300)}`, false);
    return;
  }
  const out = execFileSync(python, [join(import.meta.dirname, 'aws_credentials.py')], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', PYTHONPATH: resolve('examples/python') },
  });
  for (const [what, holds] of JSON.parse(out) as [string, boolean][]) expect(`on AWS a job ${what}`, holds);
}
