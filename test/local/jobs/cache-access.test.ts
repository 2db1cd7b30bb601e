import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CacheAccess } from '../../../local/jobs/cache-access.ts';

const key = () => Buffer.alloc(32, 7);
const job = { tenantId: 'acme', jobName: 'acme-2026-11-24-cache-1' };
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that notes what it is asked, and answers each command by this line. */
async function aServer(answer: (command: string) => string = () => '+OK') {
  const asked: string[][] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const text of data
        .toString()
        .split(/^\*\d+\r\n/m)
        .slice(1)) {
        const command = text.split('\r\n').filter((line) => line !== '' && !line.startsWith('$'));
        asked.push(command);
        socket.write(`${answer(command[0] ?? '')}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { asked, url: `redis://admin:of-all@127.0.0.1:${port}` };
}

describe('the access of a cache stage to Redis', () => {
  it('T7: is a user of its tenant, who reaches its tenant’s keys by two commands', async () => {
    const { asked, url } = await aServer();
    const cache = new CacheAccess(url, key);
    await cache.admit(job);
    const { username, password, host } = new URL(cache.urlOf(job));
    expect([username, host]).toEqual(['epsilon-acme', new URL(url).host]);
    const digest = createHash('sha256').update(password).digest('hex');
    const [acl] = asked.filter(([name]) => name === 'ACL');
    const rules = ['reset', 'on', `#${digest}`, '~epsilon:acme:*', '+auth', '+hello', '+hset', '+hlen'];
    expect(acl).toEqual(['ACL', 'SETUSER', 'epsilon-acme', ...rules]);
  });

  it('T7: has another password for each attempt and each host, and never the one that all share', () => {
    const of = (jobName: string, secret = key) =>
      new URL(new CacheAccess('redis://admin:of-all@redis:6379', secret).urlOf({ ...job, jobName })).password;
    const all = [of('a-1'), of('a-2'), of('a-1', () => Buffer.alloc(32, 8))];
    expect(new Set(all).size).toBe(3);
    for (const password of all) expect(password).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is refused by name where Redis has no users or lets nobody make one', async () => {
    const { url } = await aServer((name) => (name === 'ACL' ? "-NOPERM can't run this command" : '+OK'));
    const refused = await new CacheAccess(url, key).admit(job).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'CACHE_NO_USERS' });
    expect(String(refused)).not.toContain('of-all');
  });

  it('is left to the job, which is tried again, while Redis cannot be reached', async () => {
    const cache = new CacheAccess('redis://admin:of-all@127.0.0.1:1', key);
    expect(await cache.admit(job)).toMatch(/ECONNREFUSED/);
  });

  it.each(['', '127.0.0.1:6379', 'http://redis', 'redis://'])(
    'is refused for an address that is none: %j',
    (url) => {
      expect(() => new CacheAccess(url, key)).toThrow(/REDIS_URL is no address/);
    },
  );
});
