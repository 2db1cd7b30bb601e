import { createClient } from 'redis';
import { createRedisCacheStore } from '../../../lib/aws/elasticache/redis-cache-store.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import type { CacheEntry } from '../../../lib/ports/serving/cache-store.ts';

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof EpsilonError ? error : String(error)),
  );

async function* batches(count: number): AsyncGenerator<readonly CacheEntry[]> {
  for (let at = 0; at < count; at += 500)
    yield Array.from({ length: Math.min(500, count - at) }, (_, index) => ({
      id: `p-${at + index}`,
      line: JSON.stringify({ id: `p-${at + index}`, text: 'words', vector: 'A'.repeat(1_300) }),
    }));
  yield [];
}

/** What `fillCache` does on AWS, against a real server: fill, fill again, retire, and no server. Sentences and whether they hold. */
export async function cacheStore(place: {
  readonly url: string;
  readonly token: string;
  readonly dead: string;
}): Promise<[string, boolean][]> {
  const { url, token, dead } = place;
  const store = createRedisCacheStore({ url, token: async () => token });
  const admin = createClient({ url, password: token });
  await admin.connect();
  const [target, other] = [
    { tenantId: 'acme', runId: 'run-1' },
    { tenantId: 'acme', runId: 'none' },
  ];
  const key = 'epsilon:acme:run-1:passages';
  const began = performance.now();
  const filled = await store.fill(target, batches(20_000));
  const seconds = Math.round(performance.now() - began) / 1000;
  process.stdout.write(`fillCache: 20,000 entries of 1.4 KB in ${seconds} s\n`);
  await store.retire(target, 60);
  const [going, twice] = [await admin.ttl(key), await store.fill(target, batches(20_000))];
  const stays = await admin.ttl(key);
  await store.retire(other, 60);
  const exists = await admin.exists('epsilon:acme:none:passages');
  const closed = createRedisCacheStore({ url: dead, token: async () => token });
  const refused = createRedisCacheStore({ url, token: async () => 'a-wrong-token' });
  const faults = [await code(closed.retire(target, 1)), await code(refused.retire(target, 1))];
  const read = [
    await store.read(target, 'p-7'),
    await store.read(target, 'none'),
    await store.read(other, 'p-7'),
  ];
  await admin.del(key);
  admin.destroy();
  return [
    ['the store holds other than 20,000 entries', filled === 20_000],
    ['a retired hash does not go', going > 0 && going <= 60],
    ['filled again it holds other than the same', twice === 20_000],
    ['filled again it goes', stays === -1],
    ['to retire what is not there makes it', exists === 0],
    [
      'one entry is read other than it was filled, or one that is not there is',
      read[0]?.includes('"p-7"') === true && read[1] === undefined && read[2] === undefined,
    ],
    [
      'no server, or a wrong token, is no retryable CACHE_UNAVAILABLE',
      faults.every((one) => one instanceof EpsilonError && one.code === 'CACHE_UNAVAILABLE' && one.retryable),
    ],
    [
      'the token or the address shows',
      !faults.some((one) => [token, 'a-wrong-token', dead].some((secret) => String(one).includes(secret))),
    ],
  ];
}
