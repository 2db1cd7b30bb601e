import { createHash, createHmac } from 'node:crypto';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { JobSpec } from '../../lib/training/attempts/job.ts';

/** Whose job it is, and which one. */
type Job = Pick<JobSpec, 'tenantId' | 'jobName'>;

/** All that a cache stage does in Redis besides opening its connection: fill its tenant's hashes, and count them. */
const commands = ['+auth', '+hello', '+hset', '+hlen'] as const;

/** Milliseconds until Redis has to answer. */
const connectTimeoutMs = 5_000;

/** Answers by which Redis says that it has no users, or that ours may not make any. */
const cannot = /unknown command|NOPERM|NOAUTH|WRONGPASS/i;

/**
 * Redis for the cache stages of this host, by an address whose user may make others. Every tenant has a user of its own, who reaches the
 * keys `epsilon:<tenant>:*` and nothing else; each attempt gets a new password, which ends the one before.
 */
export class CacheAccess {
  readonly #url: string;
  readonly #key: () => Buffer;

  /** `key` is secret to this host: passwords follow from it. Error: `CACHE_URL_INVALID`, without the address. */
  constructor(url: string, key: () => Buffer) {
    if (!URL.canParse(url) || !/^rediss?:\/\/[^/]/.test(url))
      throw new EpsilonError(
        'CACHE_URL_INVALID',
        'REDIS_URL is no address like redis://user:password@host:6379.',
      );
    this.#url = url;
    this.#key = key;
  }

  #password({ jobName }: Job): string {
    return createHmac('sha256', this.#key()).update(jobName).digest('hex');
  }

  /** The address by which one attempt's job reaches its tenant's keys. */
  urlOf(job: Job): string {
    const url = new URL(this.#url);
    url.username = userOf(job);
    url.password = this.#password(job);
    return url.href;
  }

  /**
   * Makes the tenant's user, with the password of this attempt. What kept Redis from being reached is given back: the job meets it as
   * well, says so, and is tried again. Error: `CACHE_NO_USERS` when Redis has no users, or the address may not make them: an address that all
   * tenants share is given to no job.
   */
  async admit(job: Job): Promise<string | undefined> {
    const { createClient } = await import('redis');
    const socket = { connectTimeout: connectTimeoutMs, reconnectStrategy: false } as const;
    const client = createClient({ url: this.#url, socket });
    client.on('error', () => {});
    const digest = createHash('sha256').update(this.#password(job)).digest('hex');
    const rules = ['reset', 'on', `#${digest}`, `~epsilon:${job.tenantId}:*`, ...commands];
    try {
      await client.connect();
      await client.sendCommand(['ACL', 'SETUSER', userOf(job), ...rules]);
      return undefined;
    } catch (error) {
      return this.#explained(error as Error);
    } finally {
      client.destroy();
    }
  }

  /** The address may hold a password and stays out of every message. */
  #explained(error: Error): string {
    const words = error.message.replaceAll(this.#url, '(REDIS_URL)');
    if (!cannot.test(words)) return words;
    throw new EpsilonError(
      'CACHE_NO_USERS',
      `Redis does not let REDIS_URL make a user for each tenant (${words}); give it Redis 6 or later and a user who may run ACL SETUSER, or leave REDIS_URL out: the cache is then a file.`,
      { exitCode: exitCodes.backend },
    );
  }
}

const userOf = ({ tenantId }: Pick<Job, 'tenantId'>) => `epsilon-${tenantId}`;
