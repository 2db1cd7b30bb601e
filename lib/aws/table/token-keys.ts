import type { KMSClient } from '@aws-sdk/client-kms';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { type Clock, isoNow } from '../../ports/clock.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';
import { absent } from './expressions.ts';
import { tokenKeyKey } from './keys.ts';
import { keptDays, tokenKeyContext } from './schema.ts';
import type { Table } from './table.ts';

const dayMs = 86_400_000;

/** Data keys of task tokens, one a UTC day, known to every process of the service. */
export interface TokenKeys {
  /** The key tokens are sealed under now. */
  current(): Promise<{ readonly day: string; readonly key: Uint8Array }>;
  /** The key of an earlier day; undefined when it has been let go and its tokens can no longer be read. */
  ofDay(day: string): Promise<Uint8Array | undefined>;
}

/** What the keys are made of. */
export interface TokenKeysOptions {
  readonly table: Table;
  readonly clock: Clock;
  /** ARN of the KMS key; absent where the deployment names none. */
  readonly keyArn: string | undefined;
  /** Loaded with the first token: most functions touch none. */
  readonly kms: () => Promise<KeyService>;
}

/** The two calls of KMS that are needed. */
export interface KeyService {
  generate(): Promise<{ readonly key: Uint8Array; readonly wrapped: Uint8Array }>;
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>;
}

/** Keys of every key state but the usable one. */
const unusable: ReadonlySet<string> = new Set([
  'NotFoundException',
  'DisabledException',
  'KMSInvalidStateException',
]);

function explainKeyError(error: unknown, action: string, keyArn: string): unknown {
  if (!unusable.has(errorName(error))) return explainServiceError(error, action, keyArn);
  return new EpsilonError(
    'TOKEN_KEY_UNUSABLE',
    `${action} on ${keyArn}: the key does not exist or is disabled; task tokens can neither be stored nor answered.`,
    { exitCode: exitCodes.backend, cause: error },
  );
}

/** Makes and unwraps data keys with KMS, always under Epsilon's encryption context. */
export async function kmsKeyService(client: KMSClient, keyArn: string): Promise<KeyService> {
  const { DecryptCommand, GenerateDataKeyCommand } = await import('../lazy/kms.ts');
  const context = { KeyId: keyArn, EncryptionContext: { ...tokenKeyContext } };
  return {
    generate: async () => {
      try {
        const made = await client.send(new GenerateDataKeyCommand({ ...context, KeySpec: 'AES_256' }));
        return { key: made.Plaintext ?? new Uint8Array(), wrapped: made.CiphertextBlob ?? new Uint8Array() };
      } catch (error) {
        throw explainKeyError(error, 'kms:GenerateDataKey', keyArn);
      }
    },
    unwrap: async (wrapped) => {
      try {
        const { Plaintext } = await client.send(new DecryptCommand({ ...context, CiphertextBlob: wrapped }));
        return Plaintext ?? new Uint8Array();
      } catch (error) {
        throw explainKeyError(error, 'kms:Decrypt', keyArn);
      }
    },
  };
}

/**
 * The first process of a day makes its key; the wrapped form is stored in the table, so that all others unwrap the same one
 * and each asks KMS once a day. With the item's end by TTL the day's tokens end too.
 */
export function createTokenKeys({ table, clock, keyArn, kms }: TokenKeysOptions): TokenKeys {
  const known = new Map<string, Promise<Uint8Array | undefined>>();

  const service = (): Promise<KeyService> => {
    if (keyArn !== undefined) return kms();
    throw new EpsilonError(
      'DEPLOYMENT_INCOMPLETE',
      'EPSILON_AWS_TOKEN_KEY_ARN is not set: this function seals or answers task tokens and needs the key.',
      { exitCode: exitCodes.badInput },
    );
  };

  async function stored(day: string): Promise<Uint8Array | undefined> {
    const item = await table.get(tokenKeyKey(day));
    const wrapped = item?.['wrapped'];
    return wrapped instanceof Uint8Array ? (await service()).unwrap(wrapped) : undefined;
  }

  async function storedOrMade(day: string): Promise<Uint8Array | undefined> {
    const there = await stored(day);
    if (there) return there;
    const { key, wrapped } = await (await service()).generate();
    const ttl = Math.floor((Date.parse(day) + dayMs * (1 + keptDays.tokenKey)) / 1000);
    const { done } = await table.put({ ...tokenKeyKey(day), wrapped, ttl }, absent('pk'));
    return done ? key : stored(day);
  }

  /** Kept for the life of the process; what failed or was not there is asked again. */
  function kept(day: string, load: (day: string) => Promise<Uint8Array | undefined>) {
    const there = known.get(day);
    if (there) return there;
    const loading = load(day).then(
      (key) => {
        if (!key) known.delete(day);
        return key;
      },
      (error: unknown) => {
        known.delete(day);
        throw error;
      },
    );
    known.set(day, loading);
    return loading;
  }

  return {
    current: async () => {
      const day = isoNow(clock).slice(0, 10);
      const key = await kept(day, storedOrMade);
      if (key) return { day, key };
      throw new EpsilonError(
        'TOKEN_KEY_UNUSABLE',
        `The token key of ${day} was deleted while it was being read.`,
        {
          exitCode: exitCodes.backend,
          retryable: true,
        },
      );
    },
    ofDay: (day) => kept(day, stored),
  };
}
