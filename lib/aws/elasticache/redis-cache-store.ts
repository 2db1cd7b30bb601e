import { createClient } from 'redis';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { CacheStore } from '../../ports/serving/cache-store.ts';
import { cacheKey } from '../../training/models/cache-key.ts';

/** What the store is made of. */
export interface RedisCacheOptions {
  /** Address without its token, as `rediss://host:6379`. */
  readonly url: string;
  readonly token: () => Promise<string>;
}

function clientOf(url: string, password: string) {
  const client = createClient({ url, password, socket: { connectTimeout: 5_000, reconnectStrategy: false } });
  client.on('error', () => {});
  return client;
}

/** The cache in Redis. Each use has a connection of its own, because a function may sleep for hours between two. */
export function createRedisCacheStore({ url, token }: RedisCacheOptions): CacheStore {
  async function connected<T>(work: (client: ReturnType<typeof clientOf>) => Promise<T>): Promise<T> {
    const password = await token();
    const client = clientOf(url, password);
    try {
      await client.connect();
      return await work(client);
    } catch (error) {
      if (error instanceof EpsilonError) throw error;
      const words = (error as Error).message.replaceAll(password, '(token)').replaceAll(url, '(address)');
      throw new EpsilonError('CACHE_UNAVAILABLE', `The cache does not answer: ${words}.`, {
        exitCode: exitCodes.backend,
        retryable: true,
      });
    } finally {
      client.destroy();
    }
  }

  return {
    fill: (target, batches) =>
      connected(async (client) => {
        const key = cacheKey(target);
        // First, so that whoever retires it while it is filled is obeyed.
        await client.persist(key);
        for await (const entries of batches)
          if (entries.length > 0)
            await client.hSet(
              key,
              entries.flatMap(({ id, line }) => [id, line]),
            );
        return client.hLen(key);
      }),
    retire: (target, seconds) =>
      connected(async (client) => {
        await client.expire(cacheKey(target), seconds);
      }),
    read: (target, id) => connected(async (client) => (await client.hGet(cacheKey(target), id)) ?? undefined),
  };
}
