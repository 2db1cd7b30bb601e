import { cacheToken } from '../elasticache/cache-token.ts';
import { createRedisCacheStore } from '../elasticache/redis-cache-store.ts';
import type { AwsBase } from './base.ts';

/** The cache that answers users; none where functions do not reach its network. */
export const wireCacheStore = ({ clients, deployment }: AwsBase) => {
  const { cacheEndpoint, cacheSecretArn } = deployment;
  if (cacheEndpoint === undefined || cacheSecretArn === undefined) return {};
  const url = `rediss://${cacheEndpoint}:6379`;
  return { cacheStore: createRedisCacheStore({ url, token: cacheToken(clients, cacheSecretArn) }) };
};
