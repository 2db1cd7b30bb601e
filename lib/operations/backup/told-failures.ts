import type { ToldFailures } from '../../ports/backup/replication-control.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';

/** Failures that a point names; the rest is counted. */
const mostNamed = 20;

/** What events say of failed replication, as a point has it. */
export interface Told extends ToldFailures {
  readonly named: readonly string[];
}

/**
 * Failures of replication that S3 told by events. They are a hint and best effort: they begin a repair, and keep no point from being offered;
 * what is at the destination is read. That they cannot be read stops nothing else.
 */
export async function toldFailures({
  replicationControl,
  log,
}: Pick<Ports, 'replicationControl' | 'log'>): Promise<Told> {
  try {
    const told = await required(replicationControl).failures();
    const all = [...new Set(told.failed.map(({ key, because }) => `${key}: ${because}`))];
    const more = all.length - mostNamed;
    return { ...told, named: [...all.slice(0, mostNamed), ...(more > 0 ? [`${more} more`] : [])] };
  } catch (error) {
    log.error('events of failed replication cannot be read', { because: (error as Error).message });
    return { failed: [], forget: async () => {}, named: [] };
  }
}
