import type { ImageRecord } from '../training/images.ts';
import { EpsilonError, exitCodes } from './epsilon-error.ts';

/** When an API we depend on asks us to slow down, or gives no answer: own retrier, full jitter. */
export class Throttled extends EpsilonError {
  override readonly name = 'Throttled';
  /** Whether the call may have been carried out all the same. */
  readonly unclear: boolean;
  constructor(message: string, cause?: unknown, { unclear = false }: { readonly unclear?: boolean } = {}) {
    super('THROTTLED', message, { exitCode: exitCodes.backend, retryable: true, cause });
    this.unclear = unclear;
  }
}

/** When another run of the tenant holds the lease: bounded retry, then outcome `busy`. */
export class TenantBusy extends EpsilonError {
  override readonly name = 'TenantBusy';
  constructor(tenantId: string, holder: string) {
    super('TENANT_BUSY', `Tenant "${tenantId}" is being trained by run "${holder}".`, {
      exitCode: exitCodes.conflict,
      retryable: true,
      details: { tenantId, holder },
    });
  }
}

/** When the newest quality verdict of the tenant forbids training: outcome `skipped`. */
export class QualityGateClosed extends EpsilonError {
  override readonly name = 'QualityGateClosed';
  constructor(tenantId: string, reason: string) {
    super('QUALITY_GATE_CLOSED', `Training of tenant "${tenantId}" is not started: ${reason}.`, {
      exitCode: exitCodes.runFailed,
      details: { tenantId, reason },
    });
  }
}

/** When a tenant's data has not been looked at yet and a check of it has begun: the state is tried again until it is over. */
export class QualityCheckPending extends EpsilonError {
  override readonly name = 'QualityCheckPending';
  constructor(tenantId: string, check: string) {
    super('QUALITY_CHECK_PENDING', `The data of tenant "${tenantId}" is being looked at by ${check}.`, {
      exitCode: exitCodes.conflict,
      retryable: true,
      details: { tenantId, check },
    });
  }
}

/** When jobs of several tenants could not be started by an image: no run begins with it until its digest changes or it is cleared. */
export class BadImage extends EpsilonError {
  override readonly name = 'BadImage';
  constructor({ image, badSince = '', failures }: ImageRecord) {
    const tenants = failures.map(({ tenantId }) => tenantId).join(', ');
    const why = failures.at(-1)?.why ?? 'no reason given';
    super(
      'BAD_IMAGE',
      `Image ${image} is bad since ${badSince}: jobs of ${tenants} could not be started (${why}). Release another digest, or fix the cause and run epsilon images clear ${image}.`,
      { exitCode: exitCodes.runFailed, details: { image, badSince } },
    );
  }
}

/** When a scheduled time is delivered a second time: the execution ends as a duplicate. */
export class AlreadyClaimed extends EpsilonError {
  override readonly name = 'AlreadyClaimed';
  constructor(machine: string, scheduledTime: string, heldBy: string) {
    super(
      'ALREADY_CLAIMED',
      `${machine} for ${scheduledTime} already belongs to ${heldBy}. To run it again on purpose, start it with "trigger": "manual".`,
      {
        exitCode: exitCodes.conflict,
        details: { machine, scheduledTime, heldBy },
      },
    );
  }
}

/** When an earlier night still runs: this one waits for its end, because both would want the same capacity and tenants. */
export class NightOverlaps extends EpsilonError {
  override readonly name = 'NightOverlaps';
  constructor(night: string, running: string) {
    super(
      'NIGHT_OVERLAPS',
      `Night ${night} is not begun while ${running} still runs. It begins when that one ends; fails after 12 hours, and can then be redriven.`,
      { exitCode: exitCodes.conflict, retryable: true, details: { night, running } },
    );
  }
}

/** When the share of succeeded tenants is at or below the success criterion: the night fails. */
export class NightBelowTarget extends EpsilonError {
  override readonly name = 'NightBelowTarget';
  constructor(message: string, details: Record<string, unknown>) {
    super('NIGHT_BELOW_TARGET', message, { exitCode: exitCodes.runFailed, details });
  }
}

/** When a redriven night still misses tenants that this redrive has not tried: it goes round once more for those. */
export class NightIncomplete extends EpsilonError {
  override readonly name = 'NightIncomplete';
  constructor(message: string, details: Record<string, unknown>) {
    super('NIGHT_INCOMPLETE', message, { exitCode: exitCodes.runFailed, details });
  }
}

/** When a writer's fence is older than the one on record: a zombie, refused. */
export class StaleFence extends EpsilonError {
  override readonly name = 'StaleFence';
  constructor(tenantId: string, fence: number, current: number) {
    super('STALE_FENCE', `Fence ${fence} of tenant "${tenantId}" is stale: the lease is at ${current}.`, {
      exitCode: exitCodes.conflict,
      details: { tenantId, fence, current },
    });
  }
}
