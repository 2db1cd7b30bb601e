import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';

/** The key in a file: 32 bytes, made on first use, readable by its owner only. Error: `STATE_DIR_CORRUPT`. */
export function readKey(keyFile: string): Buffer {
  if (!existsSync(keyFile)) {
    mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
    writeFileSync(keyFile, randomBytes(32), { mode: 0o600, flag: 'wx' });
  }
  const bytes = readFileSync(keyFile);
  if (bytes.length === 32) return bytes;
  throw new EpsilonError(
    'STATE_DIR_CORRUPT',
    `The key file ${keyFile} is damaged (32 bytes expected, ${bytes.length} found).`,
    { exitCode: exitCodes.backend },
  );
}
