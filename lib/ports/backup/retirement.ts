import type { LiveModel, ModelVersion } from '../../training/models/model.ts';
import type { Run } from '../../training/run.ts';

/** Outputs of a run that no record names any more, and that go once no moment that can be restored names them either. */
export interface RetiredOutputs {
  /** `bucket/tenant/runs/run/`. */
  readonly prefix: string;
  readonly tenantId: string;
  /** ISO 8601: when the record was forgotten that named them last. */
  readonly at: string;
  /** Whether they are gone in this region; the other one follows. */
  readonly goneHere: boolean;
}

/** Takes records away whose time is over, and remembers what they named. */
export interface Retirement {
  /**
   * Forgets a model and retires the outputs of its run, by one write that is refused when another pair went live since it was decided
   * on; says whether it was done.
   */
  forgetModel(
    model: Pick<ModelVersion, 'tenantId' | 'modelVersion'>,
    decidedOn: { readonly live: LiveModel | undefined; readonly prefix: string; readonly at: string },
  ): Promise<boolean>;
  /** Forgets a run that is over, with its attempts and listings, and retires its outputs; one that runs again is left. */
  forgetRun(run: Run, request: { readonly prefix: string; readonly at: string }): Promise<boolean>;
  /** Outputs that were retired before an instant (ISO 8601), oldest first. */
  retired(before: string): Promise<RetiredOutputs[]>;
  /** Notes that they are gone in this region. */
  noteGone(outputs: RetiredOutputs): Promise<void>;
  /** They are gone everywhere, or a record names them again: nothing is remembered of them. */
  end(outputs: RetiredOutputs): Promise<void>;
}
