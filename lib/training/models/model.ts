import type { StoredProbes } from './regression.ts';

/** A trained and checked model with its index, ready to be promoted: `TENANT#id / MODEL#version`. */
export interface ModelVersion {
  readonly tenantId: string;
  /** ULID. */
  readonly modelVersion: string;
  readonly runId: string;
  readonly logicalDate: string;
  readonly modelUri: string;
  readonly indexUri: string;
  /** Prefix of the prepared data (passages) the index answers with. */
  readonly dataUri: string;
  /** Prefix of the refreshed cache. */
  readonly cacheUri: string;
  readonly vectors: number;
  readonly dimensions: number;
  readonly selfRetrieval: number;
  readonly checksums: Readonly<Record<string, string>>;
  /** What later models are compared on; absent where the workload makes none. */
  readonly probes?: StoredProbes;
  readonly createdAt: string;
}

/** The pair that answers queries now and the one before it: `TENANT#id / LIVE`, switched by one write. */
export interface LiveModel {
  readonly tenantId: string;
  readonly modelVersion: string;
  readonly previousVersion?: string;
  readonly modelUri: string;
  readonly indexUri: string;
  readonly dataUri: string;
  readonly cacheUri: string;
  /** Fence of the writer; never goes back. */
  readonly fence: number;
  readonly promotedAt: string;
  readonly reason: 'run' | 'manual' | 'rollback';
  /** When the fixed names were brought in line with this record; absent until they are. */
  readonly fixedNamesAt?: string;
}
