import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Actor } from '../../lib/audit/record.ts';

/** Name of a user of this host; its number where it has no name, as in many containers. */
function userName(uid: number): string {
  if (uid !== process.getuid?.()) return `uid:${uid}`;
  try {
    return userInfo().username;
  } catch {
    return `uid:${uid}`;
  }
}

/** The user that this process runs as. */
export function processActor(): Actor {
  return { id: `os:${userName(process.getuid?.() ?? 0)}`, via: 'process' };
}

/**
 * The owner of a file that nobody else may open: of the socket, or of the file with the token of the HTTP port. Whoever calls
 * through it acts in its owner's name.
 */
export function ownerOf(path: string, via: 'socket' | 'http'): Actor {
  return { id: `os:${userName(statSync(path).uid)}`, via };
}
