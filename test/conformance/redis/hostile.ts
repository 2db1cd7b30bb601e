import { createClient } from 'redis';
import type { CacheAccess } from '../../../local/jobs/cache-access.ts';

/** Commands of a hostile cache stage of tenant acme, all of which Redis has to refuse. */
const refused: readonly (readonly [what: string, command: readonly string[]])[] = [
  ['reads another tenant’s keys', ['HGETALL', 'epsilon:beta:r1:passages']],
  ['counts another tenant’s entries', ['HLEN', 'epsilon:beta:r1:passages']],
  ['writes to another tenant', ['HSET', 'epsilon:beta:r1:passages', 'id', 'x']],
  ['writes to a tenant whose id begins like its own', ['HSET', 'epsilon:acme-2:r1:passages', 'id', 'x']],
  ['writes beside the tenants', ['HSET', 'epsilon:acme', 'id', 'x']],
  ['reads back what it wrote', ['HGETALL', 'epsilon:acme:r1:passages']],
  ['removes its own tenant’s keys', ['DEL', 'epsilon:acme:r1:passages']],
  ['lists keys', ['KEYS', '*']],
  ['walks keys', ['SCAN', '0']],
  ['runs a script', ['EVAL', 'return redis.call("HGETALL", "epsilon:beta:r1:passages")', '0']],
  ['empties the server', ['FLUSHALL']],
  ['reads the settings', ['CONFIG', 'GET', 'requirepass']],
  ['lists users', ['ACL', 'LIST']],
  ['makes itself mightier', ['ACL', 'SETUSER', 'epsilon-acme', '+@all']],
  ['watches others', ['MONITOR']],
  ['publishes', ['PUBLISH', 'x', 'y']],
  ['copies the data away', ['REPLICAOF', '127.0.0.1', '1']],
];

/** Whether a command is refused for want of rights. */
async function isRefused(url: string, command: readonly string[]): Promise<boolean> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.sendCommand([...command]);
    return false;
  } catch (error) {
    return /NOPERM|WRONGPASS|NOAUTH/.test((error as Error).message);
  } finally {
    client.destroy();
  }
}

/** T7: what a hostile cache stage tries with the address that it was given, and whether it was held off. */
export async function hostile(given: {
  readonly access: CacheAccess;
  readonly job: { readonly tenantId: string; readonly jobName: string };
  /** The address that may do everything. */
  readonly all: string;
}): Promise<(readonly [what: string, held: boolean])[]> {
  const { access, job, all } = given;
  const url = access.urlOf(job);
  const found: (readonly [string, boolean])[] = [];
  for (const [what, command] of refused)
    found.push([`T7: a cache stage ${what}`, await isRefused(url, command)]);
  const own = ['HSET', 'epsilon:acme:r1:passages', 'id', 'x'];
  found.push(['its own tenant’s keys are closed to it', !(await isRefused(url, own))]);
  const without = new URL(all);
  without.password = '';
  found.push(['T7: a cache stage enters without a password', await isRefused(without.href, own)]);
  const next = { ...job, jobName: `${job.jobName}-next` };
  await access.admit(next);
  found.push(['T7: the password of an attempt outlives the next one', await isRefused(url, own)]);
  found.push(['the next attempt is kept out', !(await isRefused(access.urlOf(next), own))]);
  return found;
}
