import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { AttemptKey } from '../../ports/run-store.ts';
import { attemptName } from '../../training/run.ts';
import type { Item } from './table-errors.ts';
import type { TokenKeys } from './token-keys.ts';

const cipherName = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** A ciphertext opens only for what it was sealed for. */
const boundTo = (of: TokenOwner) => Buffer.from(typeof of === 'string' ? of : attemptName(of));

/** What a token belongs to: an attempt, or what a state of a backup or of a release waits for. */
type TokenOwner = AttemptKey | `wait:${string}` | `release/${string}`;

/** Task tokens as attributes of an item: `sealedToken` = day of the key, ":", and base64 of nonce, tag and ciphertext. */
export interface SealedTokens {
  /** The attribute that holds the token. */
  seal(taskToken: string, of: TokenOwner): Promise<{ readonly sealedToken: string }>;
  /**
   * The token of an item; undefined when it has none, when its key has been let go, or when it does not open for its
   * owner. The state's heartbeat or timeout then brings a new one.
   */
  open(item: Item, of: TokenOwner): Promise<string | undefined>;
}

/** Seals and opens under the day keys. */
export function createSealedTokens(keys: TokenKeys): SealedTokens {
  return {
    seal: async (taskToken, of) => {
      const { day, key } = await keys.current();
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(cipherName, key, nonce).setAAD(boundTo(of));
      const body = Buffer.concat([cipher.update(taskToken, 'utf8'), cipher.final()]);
      const sealed = Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
      return { sealedToken: `${day}:${sealed}` };
    },
    open: async (item, of) => {
      const text = item['sealedToken'];
      if (typeof text !== 'string') return undefined;
      const [day = '', body = ''] = text.split(':');
      const key = await keys.ofDay(day);
      if (!key) return undefined;
      const sealed = Buffer.from(body, 'base64');
      const decipher = createDecipheriv(cipherName, key, sealed.subarray(0, nonceBytes)).setAAD(boundTo(of));
      decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
      try {
        const opened = [decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()];
        return Buffer.concat(opened).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
