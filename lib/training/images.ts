/** Tenants whose jobs an image must fail to start before it is a bad image. */
export const tenantsToMark = 3;

/** Milliseconds after which a failure says nothing more: three tenants that fail within a month are no pattern. */
const failureKeptMs = 86_400_000;

/** Milliseconds by which a start has to be newer than the one on record to be written down. */
const startStepMs = 60_000;

/** Characters that are kept of a backend's reason. */
const longestReason = 500;

/** One tenant's job that could not be started. */
export interface ImageFailure {
  readonly tenantId: string;
  readonly runId: string;
  /** When the job was submitted, ISO 8601. */
  readonly submittedAt: string;
  /** When it was given up, ISO 8601. */
  readonly at: string;
  /** The backend's reason. */
  readonly why: string;
}

/** What is known of one image: whether jobs can be started by it. `IMAGES / image`. */
export interface ImageRecord {
  /** Reference by digest, `<repository>@sha256:...`. */
  readonly image: string;
  /** Rises by one with every write. */
  readonly version: number;
  /** The newest start of a job by this image, or when an operator cleared it, ISO 8601; failures of jobs submitted before do not count. */
  readonly provenAt?: string;
  /** Failures since then, one a tenant, oldest first; no more than it takes to mark the image. */
  readonly failures: readonly ImageFailure[];
  /** When it was marked as bad, ISO 8601; absent while runs may begin with it. */
  readonly badSince?: string;
}

function empty(image: string): ImageRecord {
  return { image, version: 0, failures: [] };
}

/**
 * The record with a further failure; undefined when it changes nothing: the image is bad already, this tenant is on record, or a
 * job was started by the image after this one was submitted.
 */
export function withFailure(
  record: ImageRecord | undefined,
  image: string,
  failure: ImageFailure,
): ImageRecord | undefined {
  const known = record ?? empty(image);
  if (known.badSince !== undefined || failure.submittedAt <= (known.provenAt ?? '')) return undefined;
  const oldest = new Date(Date.parse(failure.at) - failureKeptMs).toISOString();
  const recent = known.failures.filter(({ at }) => at > oldest);
  if (recent.some(({ tenantId }) => tenantId === failure.tenantId)) return undefined;
  const failures = [...recent, { ...failure, why: failure.why.slice(0, longestReason) }];
  const bad = failures.length >= tenantsToMark ? { badSince: failure.at } : {};
  return { ...known, failures, ...bad };
}

/**
 * The record after a job was started by the image at `startedAt`: failures of jobs submitted before it are dropped, and with them
 * the mark. Undefined when that changes nothing but the time by less than a minute.
 */
export function withStart(
  record: ImageRecord | undefined,
  image: string,
  startedAt: string,
): ImageRecord | undefined {
  const { badSince, ...known } = record ?? empty(image);
  const before = known.provenAt ?? '';
  const provenAt = startedAt > before ? startedAt : before;
  const failures = known.failures.filter(({ submittedAt }) => submittedAt > provenAt);
  const isNews = before === '' || Date.parse(provenAt) - Date.parse(before) >= startStepMs;
  if (!isNews && failures.length === known.failures.length) return undefined;
  const bad = badSince !== undefined && failures.length >= tenantsToMark ? { badSince } : {};
  return { ...known, provenAt, failures, ...bad };
}

/** The record after an operator cleared it at `now`: nothing that happened before counts. */
export function cleared({ badSince: _, ...record }: ImageRecord, now: string): ImageRecord {
  return { ...record, provenAt: now, failures: [] };
}
