import { basename, relative } from 'node:path';

/** A word as a shell takes it. */
export function shellWord(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/**
 * How this command was called, for the commands that messages name: `epsilon` by a shell's function (`EPSILON_COMMAND`) or
 * from the PATH, npm's own way, or node with the file's path as seen from the working directory.
 */
export function commandName(
  script: string | undefined,
  variables: Readonly<Record<string, string | undefined>>,
  workingDirectory: string,
): string {
  if (variables['EPSILON_COMMAND']) return variables['EPSILON_COMMAND'];
  if (variables['npm_lifecycle_event'] === 'npx') return 'npx epsilon';
  if (script === undefined || basename(script) === 'epsilon') return 'epsilon';
  const near = relative(workingDirectory, script);
  return `node ${shellWord(near.startsWith('../..') ? script : near)}`;
}
