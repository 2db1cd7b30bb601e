import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Compared } from './dags.ts';
import { type Expect, facts } from './facts.ts';
import type { Installed } from './install.ts';
import { type Server, type ServerOptions, startServer } from './server.ts';

/** Works with a real Airflow in a folder of its own and ends it; its log is shown where something differs. */
export async function withServer(
  installed: Installed,
  options: Omit<ServerOptions, 'home'>,
  work: (server: Server, expect: Expect) => Promise<void>,
): Promise<Compared> {
  const home = mkdtempSync(join(tmpdir(), 'airflow-'));
  const { found, expect } = facts(installed.version);
  const server = await startServer(installed, { home, ...options });
  try {
    await work(server, expect);
    if (found.faults.length > 0) process.stdout.write(`${server.log()}\n`);
  } catch (error) {
    process.stdout.write(`${server.log()}\n`);
    throw error;
  } finally {
    await server.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
  return found;
}
