import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from 'redis';
import { CacheAccess } from '../../../local/jobs/cache-access.ts';
import { freePort } from '../../free-port.ts';
import { documentsFolder, openWorkload } from '../../workload/harness.ts';
import { conclude, installPackage, works } from '../debian.ts';
import { cacheStore } from './cache-store.ts';
import { hostile } from './hostile.ts';

/**
 * `npm run test:conformance:redis`: the cache stage against a real Redis, as its tenant's user, what that user is refused, and the stage
 * against no Redis.
 */
const password = 'a-password-that-must-not-show';

async function startRedis(port: number) {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-redis-'));
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--requirepass', password],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('exit', () => reject(new Error('redis-server did not start')));
    server.stdout.on(
      'data',
      (text: Buffer) => text.toString().includes('Ready to accept connections') && resolve(),
    );
  });
  return server;
}

const missing = installPackage('redis-server', () => works('redis-server', '--version'));
if (missing !== undefined) conclude(0, [], missing);
else {
  const faults: string[] = [];
  let compared = 0;
  const expect = (what: string, holds: boolean) => {
    compared += 1;
    if (!holds) faults.push(what);
  };
  const port = await freePort();
  const all = `redis://:${password}@127.0.0.1:${port}`;
  const access = new CacheAccess(all, () => Buffer.alloc(32, 7));
  const jobOf = (tenantId: string, attempt: number) => ({
    tenantId,
    jobName: `${tenantId}-cache-${attempt}`,
  });
  const server = await startRedis(port);
  const workload = openWorkload();
  await workload.stage('prepare', { documents: pathToFileURL(documentsFolder(40)).href });
  await workload.stage('train');
  const { result: index } = await workload.stage('index');
  await access.admit(jobOf('acme', 1));
  const url = access.urlOf(jobOf('acme', 1));
  const { code, result, stdout, stderr } = await workload.stage('cache', { env: { REDIS_URL: url } });
  expect(`the cache stage ended with ${code}: ${stderr}`, code === 0);
  expect(
    `it says ${JSON.stringify(result)}`,
    result['cache'] === 'redis' && result['entries'] === index['vectors'],
  );
  expect(
    'the password shows in its output or result',
    ![password, new URL(url).password].some((secret) =>
      `${stdout}${stderr}${JSON.stringify(result)}`.includes(secret),
    ),
  );

  const client = createClient({ url: all });
  await client.connect();
  const entries = await client.hGetAll(`${String(result['redisPrefix'])}:passages`);
  const ids = JSON.parse(
    new TextDecoder().decode(await workload.objects.get(`${workload.prefix('index')}ids.json`)),
  ) as string[];
  expect(
    `Redis holds ${Object.keys(entries).length} entries for ${ids.length} passages`,
    Object.keys(entries).length === ids.length,
  );
  for (const id of ids) {
    const entry = JSON.parse(entries[id] ?? '{}') as { id?: string; text?: string; vector?: string };
    expect(
      `entry ${id} is not whole`,
      entry.id === id &&
        (entry.text?.length ?? 0) > 0 &&
        Buffer.from(entry.vector ?? '', 'base64').length === Number(index['dimensions']) * 4,
    );
  }
  await client.hSet('epsilon:beta:r1:passages', 'id', 'a text of beta');
  await client.hSet('epsilon:acme-2:r1:passages', 'id', 'a text of acme-2');
  for (const [what, held] of await hostile({ access, job: jobOf('acme', 1), all })) expect(what, held);
  const place = {
    url: `redis://127.0.0.1:${port}`,
    token: password,
    dead: `redis://127.0.0.1:${await freePort()}`,
  };
  for (const [what, holds] of await cacheStore(place)) expect(what, holds);
  client.destroy();
  server.kill('SIGKILL');
  await new Promise((resolve) => server.once('exit', resolve));

  const gone = await workload.stage('cache', { attempt: 2, env: { REDIS_URL: url } });
  expect(`without a server the stage ended with ${gone.code}, not 75 (try again)`, gone.code === 75);
  expect(
    'the password shows when there is no server',
    !`${gone.stdout}${gone.stderr}${JSON.stringify(gone.result)}`.includes(password),
  );
  process.stdout.write(`redis-server: ${ids.length} entries written and read back one by one\n`);
  conclude(compared, faults);
}
