import type { LiveModel, ModelVersion } from '../training/models/model.ts';

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
}
