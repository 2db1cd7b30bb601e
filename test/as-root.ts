/** Root may read and write everything: tests of missing permission are skipped for it, and the run's output says so. */
export function skippedForRoot(what: string): boolean {
  const root = process.getuid?.() === 0;
  if (root) process.stderr.write(`SKIPPED: ${what} (root may read and write everything)\n`);
  return root;
}
