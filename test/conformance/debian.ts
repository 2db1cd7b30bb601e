import { execFileSync, spawnSync } from 'node:child_process';

/** Whether a command line succeeds. */
export function works(file: string, ...args: string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0;
}

/** Makes a Debian package available: installs it when this process may; otherwise says why not. */
export function installPackage(name: string, isThere: () => boolean): string | undefined {
  if (isThere()) return undefined;
  if (process.getuid?.() !== 0)
    return `${name} is not installed and only root may install it (apt-get install ${name})`;
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '-qq', name], { stdio: 'ignore' });
  } catch (error) {
    return `${name} could not be installed: ${(error as Error).message}`;
  }
  return isThere() ? undefined : `${name} was installed but does not work`;
}

/** Closes a conformance run: its counts as the last line, and no success when nothing was compared. */
export function conclude(compared: number, faults: readonly string[], missing?: string): void {
  if (missing !== undefined) process.stdout.write(`NOT RUN: ${missing}\n`);
  for (const fault of faults) process.stdout.write(`FAULT: ${fault}\n`);
  process.stdout.write(`${compared - faults.length} passed, ${faults.length} failed\n`);
  process.exitCode = compared > 0 && faults.length === 0 && missing === undefined ? 0 : 1;
}
