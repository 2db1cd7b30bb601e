#!/usr/bin/env node
// Runs on any Node from 20 on: the command itself needs the project's own Node 24, which npm has installed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = dirname(dirname(fileURLToPath(import.meta.url)));

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // What was compiled stays with the installation; for whoever may not write there, it is compiled again.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(join(project, 'node_modules', '.cache', 'compiled'));
  const { main } = await import('./program/main.ts');
  await main(project);
} else {
  const node = join(project, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(node)) {
    process.stderr.write(
      'error NODE_MISSING: Node 24 is not installed here. Run "npm ci" in the project first.\n',
    );
    process.exit(4);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    // The command ends when this process is gone (`cli/launch/follow-launcher.ts`).
    env: { ...process.env, EPSILON_LAUNCHER_PID: String(process.pid) },
  });
  // A terminal signals both processes, `kill` this one alone; the command takes the two for one.
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill(name));
  child.on('error', (error) => {
    process.stderr.write(
      `error NODE_UNUSABLE: ${node} cannot be run (${error.code}). Run "npm ci" in the project again.\n`,
    );
    process.exit(4);
  });
  child.on('exit', (status, signal) => process.exit(status ?? 128 + (constants.signals[signal] ?? 0)));
}
