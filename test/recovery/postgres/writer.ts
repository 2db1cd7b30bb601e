import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { program, runsAs } from './place.ts';
import type { Cluster } from './server.ts';

/** A commit that was acknowledged. */
export interface Acknowledged {
  readonly n: number;
  /** When the acknowledgement came, in milliseconds since the Unix epoch. */
  readonly at: number;
}

/** A writer of heartbeats, each of which goes into a ledger outside the database once it is acknowledged. */
export interface Writer {
  /** Acknowledged so far, as the ledger has them. */
  acknowledged(): Acknowledged[];
  /** Stops asking for commits, and waits until the connection is closed. */
  stop(): Promise<void>;
}

/** Begins to write a heartbeat each `everyMs` milliseconds. */
export function beginWriting({ socket }: Cluster, ledgerFile: string, everyMs: number): Writer {
  const ledger = openSync(ledgerFile, 'a');
  const args = ['-X', '-q', '-A', '-t', '-h', socket, '-U', 'postgres', '-d', 'postgres'];
  const client = spawn(program('psql'), args, { ...runsAs, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] });
  client.stdin.on('error', () => {});
  let [asked, rest] = [0, ''];
  let stopped = false;
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const ask = () => {
    if (stopped) return;
    asked += 1;
    client.stdin.write(`INSERT INTO heartbeat (n, at) VALUES (${asked}, clock_timestamp()) RETURNING n;\n`);
  };
  client.stdout.on('data', (part) => {
    rest += String(part);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((one) => /^\d+$/.test(one))) {
      // On the disk before the next commit is asked for.
      writeSync(ledger, `${JSON.stringify({ n: Number(line), at: Date.now() })}\n`);
      fsyncSync(ledger);
      setTimeout(ask, everyMs);
    }
  });
  ask();
  return {
    acknowledged: () =>
      readFileSync(ledgerFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Acknowledged),
    stop: async () => {
      stopped = true;
      client.kill('SIGKILL');
      await closed;
      closeSync(ledger);
    },
  };
}
