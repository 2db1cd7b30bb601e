import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readKey } from './key-file.ts';

/** Encrypts task tokens at rest; `about` binds a ciphertext to the record it belongs to. */
export interface TokenBox {
  seal(token: string, about: string): Uint8Array;
  open(sealed: Uint8Array, about: string): string;
}

/** A box with AES-256-GCM under the key in `keyFile`, made on first use, readable by its owner only. */
export function openTokenBox(keyFile: string): TokenBox {
  let key: Buffer | undefined;
  const use = (): Buffer => {
    key ??= readKey(keyFile);
    return key;
  };
  return {
    seal: (token, about) => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', use(), nonce).setAAD(Buffer.from(about));
      const body = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open: (sealed, about) => {
      const decipher = createDecipheriv('aes-256-gcm', use(), sealed.subarray(0, 12)).setAAD(
        Buffer.from(about),
      );
      decipher.setAuthTag(sealed.subarray(12, 28));
      return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8');
    },
  };
}
