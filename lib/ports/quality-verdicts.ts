import type { DatasetMemory, PartitionEntry } from '../quality/datasets/memory.ts';
import type {
  GateOverride,
  GateStanding,
  QualityHistoryEntry,
  QualityMemory,
  QualityVerdict,
} from '../quality/verdict.ts';

/** What is known of the quality of each tenant's data: `TENANT#id / VERDICT`, `BASELINE`, `DATASET`, `OVERRIDE`, `QUALITY#time`, `PARTITION#time`. */
export interface QualityVerdicts {
  /** What decides about the gate, read at one moment. */
  standing(tenantId: string): Promise<GateStanding>;
  /** The same of many tenants, in their order, by few calls. */
  standings(tenantIds: readonly string[]): Promise<readonly GateStanding[]>;
  /** Keeps the verdict unless one that was checked later is on record; whether it was kept. */
  record(verdict: QualityVerdict): Promise<boolean>;
  memory(tenantId: string): Promise<QualityMemory | undefined>;
  /** Keeps what a check learnt unless one that was made later is on record. */
  remember(memory: QualityMemory): Promise<void>;
  /** Adds a judgement to the history; a second one of the same time replaces the first. It expires after 90 days. */
  append(entry: QualityHistoryEntry): Promise<void>;
  /** Newest first. */
  history(tenantId: string, limit: number): Promise<readonly QualityHistoryEntry[]>;
  /** What is known of the tenant's dataset. */
  dataset(tenantId: string): Promise<DatasetMemory | undefined>;
  /** Keeps what a check learnt of a dataset unless one that was made later is on record. */
  rememberDataset(memory: DatasetMemory): Promise<void>;
  /** Adds judgements of partitions to the dataset's history: of one partition, the one that was made last is kept, for 90 days from then. */
  appendPartitions(entries: readonly PartitionEntry[]): Promise<void>;
  /** Newest partition first. */
  partitions(tenantId: string, limit: number): Promise<readonly PartitionEntry[]>;
  /** Replaces the operator's decision on this tenant's gate. */
  putOverride(override: GateOverride): Promise<void>;
}
