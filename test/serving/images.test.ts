import { spawn } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../free-port.ts';
import { freshDir } from '../fresh-dir.ts';

const files = globSync('serving/**/Dockerfile');

/** What a Dockerfile copies out of the project: sources and target of each line. */
const copies = (dockerfile: string) =>
  [...dockerfile.matchAll(/^COPY (?!--from)(.+) (\S+)$/gm)].map(([, sources = '', target = '']) => ({
    sources: sources.split(' '),
    target,
  }));

describe.each(files)('%s', (file) => {
  const dockerfile = readFileSync(file, 'utf8');

  it('has a base that only a digest can name, runs as nobody, and copies only what is there', () => {
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE$/m);
    expect(new Set(dockerfile.match(/^FROM (\S+)/gm))).toEqual(new Set(['FROM ${NODE_IMAGE}']));
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    for (const { sources } of copies(dockerfile))
      for (const source of sources)
        expect(existsSync(source.replace('${PROGRAM}', 'main')), source).toBe(true);
  });
});

it('each is built by a release', () => {
  const built = readFileSync('infra/release/build-images.sh', 'utf8');
  for (const file of files) expect(built).toContain(` ${file} `);
  expect(files.sort()).toEqual(['serving/Dockerfile', 'serving/ml-engine/Dockerfile']);
  expect(readFileSync('serving/ml-engine/Dockerfile', 'utf8')).toContain(
    'ENTRYPOINT ["node", "serving/ml-engine/main.ts"]',
  );
});

describe('the files that serving/Dockerfile copies', () => {
  /** A folder with what the image has: no package is among it. */
  function image(program: string): string {
    const folder = freshDir();
    for (const { sources, target } of copies(readFileSync('serving/Dockerfile', 'utf8')))
      for (const source of sources) {
        const to = join(folder, target, target.endsWith('/') ? basename(source) : '');
        mkdirSync(dirname(to), { recursive: true });
        cpSync(source.replace('${PROGRAM}', program), to, { recursive: true });
      }
    return folder;
  }

  it('are enough for backend-api, which then answers', async () => {
    const [http, metrics] = [await freePort(), await freePort()];
    const child = spawn(process.execPath, ['serving/program.ts'], {
      cwd: image('main'),
      env: { PATH: process.env['PATH'], PORT: `${http}`, METRICS_PORT: `${metrics}` },
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      await vi.waitFor(async () => {
        const response = await fetch(`http://127.0.0.1:${http}/health`);
        expect(await response.json()).toEqual({ service: 'backend-api', status: 'ok' });
      }, 10_000);
    } finally {
      child.kill();
      await ended;
    }
  });

  it('are enough for the smoke test', async () => {
    const child = spawn(process.execPath, ['serving/program.ts'], { cwd: image('smoke') });
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(2);
  });
});
