import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Baseline, Expected } from '../../quality/baseline.ts';
import type { CheckShard } from '../../quality/check-input.ts';
import type { DatasetLook, JudgedDataset } from '../../quality/datasets/judge.ts';
import type { Window } from '../../quality/datasets/memory.ts';
import type { CheckName, Finding } from '../../quality/finding.ts';
import type { Listing, Profile } from '../../quality/profile.ts';
import type { Rules } from '../../quality/rules.ts';
import type { QualityVerdict } from '../../quality/verdict.ts';
import { isOfShard } from '../../training/shards.ts';

/** What a look at one tenant's data brought: a profile, what was listed where a job reads the documents, or why there is neither. */
export type ProfileEntry = {
  readonly tenantId: string;
  readonly checkedAt: string;
  readonly rules: Rules;
  /** Profiles that the tenant's baseline has learnt from before this look. */
  readonly learnt: number;
} & (
  | { readonly profile: Profile; readonly changed: boolean; readonly dataset?: DatasetLook }
  | { readonly listing: Listing; readonly dataset?: DatasetLook }
  | { readonly fault: { readonly code: string; readonly message: string } }
);

/** Code of a fault that is the check's own and says nothing about the data. */
export const checkFault = 'CHECK_FAULT';

/** A tenant whose documents were read. */
export type LookedEntry = Extract<ProfileEntry, { readonly profile: unknown }>;

/** What goes on record of a dataset. */
export type LearntDataset = Pick<JudgedDataset, 'memory' | 'entries' | 'relearn' | 'same'>;

/** What one check found about one tenant; `baseline` is what the anomaly check learnt. */
export interface FindingsEntry {
  readonly tenantId: string;
  readonly findings: readonly Finding[];
  readonly baseline?: Baseline;
  /** What an operator excluded, which stays so. */
  readonly excluded?: readonly Window[];
  /** What it learnt of the tenant's dataset, and its judgements of partitions. */
  readonly dataset?: LearntDataset;
  /** The profile that was judged. */
  readonly profile?: Profile;
  /** A job did not look at the data: the check itself failed, and makes no verdict unless it is a critical one. */
  readonly unlooked?: true;
  /** What it expected of this profile before it learnt from it. */
  readonly expected?: Expected;
}

/** A verdict that is about to be recorded, with what goes into memory and history when the data was new. */
export interface VerdictEntry {
  readonly verdict: QualityVerdict;
  /** Whether this verdict closes a gate that the one before it left open, or the other way round. */
  readonly turns: 'closed' | 'open' | 'neither';
  readonly learnt?: {
    readonly profile: Profile;
    readonly baseline: Baseline;
    readonly expected: Expected;
    readonly excluded?: readonly Window[];
  };
  readonly dataset?: LearntDataset;
}

/** Files of a shard and what is in them. */
interface ShardFiles {
  readonly profiles: readonly ProfileEntry[];
  readonly completeness: readonly FindingsEntry[];
  readonly freshness: readonly FindingsEntry[];
  readonly anomalies: readonly FindingsEntry[];
  readonly verdicts: readonly VerdictEntry[];
}

/** Name of a shard's file. */
export type ShardFile = 'profiles' | CheckName | 'verdicts';

type FilePorts = Pick<Ports, 'objects' | 'config'>;

function uriOf({ config }: FilePorts, { prefix, shard }: CheckShard, file: ShardFile): string {
  return `s3://${config.dataBucket}/${prefix}${shard}-${file}.json`;
}

/** An entry about a tenant that is not looked at here: somebody else has written the file, and nothing in it counts. */
function foreignTenant(
  shard: CheckShard,
  entries: readonly (VerdictEntry | { readonly tenantId: string })[],
) {
  return entries
    .map((entry) => ('verdict' in entry ? entry.verdict.tenantId : entry.tenantId))
    .find((tenantId) => !(shard.only?.includes(tenantId) ?? isOfShard(tenantId, shard)));
}

/**
 * Reads what an earlier state wrote about this shard. Errors: `OBJECT_NOT_FOUND` when it did not, `SHARD_FILE_FOREIGN` when it names
 * another shard's tenant.
 */
export async function readShardFile<F extends ShardFile>(
  ports: FilePorts,
  shard: CheckShard,
  file: F,
): Promise<ShardFiles[F]> {
  const uri = uriOf(ports, shard, file);
  const entries = JSON.parse(new TextDecoder().decode(await ports.objects.get(uri))) as ShardFiles[F];
  const foreign = foreignTenant(shard, entries);
  if (foreign === undefined) return entries;
  throw new EpsilonError(
    'SHARD_FILE_FOREIGN',
    `${uri} names tenant "${foreign}", whom shard ${shard.shard} of ${shard.shards} does not look at.`,
  );
}

/** Writes a shard's file; a state that is tried again writes it again. */
export async function writeShardFile<F extends ShardFile>(
  ports: FilePorts,
  shard: CheckShard,
  file: F,
  entries: ShardFiles[F],
): Promise<void> {
  await ports.objects.put(uriOf(ports, shard, file), JSON.stringify(entries), {
    contentType: 'application/json',
  });
}
