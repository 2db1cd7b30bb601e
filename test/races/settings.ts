import { loadConfig } from '../../lib/config/load-config.ts';
import { isOfShard } from '../../lib/training/shards.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { aRun } from '../fixtures/records.ts';

/** The settings that everything is explored with: as many shards as the index of open work has partitions of a kind. */
export const config = loadConfig({
  file: readYaml('infra/config/dev.yml'),
  variables: { EPSILON_RECONCILE_SHARDS: '16' },
});

/** The shard that looks after a run. */
export function shardOf(runId: string): number {
  const { shards } = config.reconcile;
  for (let shard = 0; shard < shards; shard += 1) if (isOfShard(runId, { shard, shards })) return shard;
  throw new Error(`No shard looks after ${runId}.`);
}

/** Milliseconds that lists of a backend may lag behind. */
export const graceMs = config.training.lookupGraceSeconds * 1000;

/** A run's name in the shard of the run that is explored: one pass looks after both. */
export function inSameShard(name: string): string {
  const shard = { shard: shardOf(aRun().runId), shards: config.reconcile.shards };
  for (let count = 1; ; count += 1) if (isOfShard(`${name}-${count}`, shard)) return `${name}-${count}`;
}
