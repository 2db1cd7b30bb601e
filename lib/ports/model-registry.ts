import type { LiveModel, ModelVersion } from '../training/models/model.ts';
import type { Shard } from '../training/shards.ts';

/** Trained models and the live pair of each tenant. */
export interface ModelRegistry {
  /** Registers a candidate; registering the same version again is safe. */
  register(model: ModelVersion): Promise<void>;
  get(tenantId: string, modelVersion: string): Promise<ModelVersion | undefined>;
  /** Newest first. */
  list(tenantId: string): Promise<ModelVersion[]>;
  live(tenantId: string): Promise<LiveModel | undefined>;
  /**
   * Switches model and index together by one conditional write and keeps the replaced version as `previousVersion`.
   * Refused with `StaleFence` when `fence` is below the tenant's lease fence or the live record's;
   * promoting what is live already changes nothing. `MODEL_NOT_FOUND` when the version is not registered.
   */
  promote(request: {
    tenantId: string;
    modelVersion: string;
    fence: number;
    at: string;
    reason: LiveModel['reason'];
  }): Promise<LiveModel>;
  /**
   * Notes that the fixed names are in line with the live record, if that is still the one of (version, fence); returns
   * whether it is.
   */
  noteAligned(request: {
    tenantId: string;
    modelVersion: string;
    fence: number;
    at: string;
  }): Promise<boolean>;
  /**
   * Live records of a shard (by tenant) whose fixed names are not noted as aligned. One that has just been switched to may
   * be missing for a moment.
   */
  listUnaligned(shard: Shard): Promise<LiveModel[]>;
}
