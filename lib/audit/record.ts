/** Ways in which an operator's act may reach the control plane. */
export const channels = ['process', 'socket', 'http', 'aws'] as const;

/** Who acts. Determined when the operator's port is opened, never taken from a caller. */
export interface Actor {
  /** ARN of the caller as STS names it on AWS; `os:<user>` on this host. */
  readonly id: string;
  /**
   * `process`: a command in this process; `socket`, `http`: through the control API, whose socket and token only their owner
   * can read; `aws`: with AWS credentials.
   */
  readonly via: (typeof channels)[number];
}

/** What an operator can do. */
export const operatorActs = [
  'models.promote',
  'models.rollback',
  'tenants.add',
  'tenants.update',
  'tenants.suspend',
  'tenants.resume',
  'tenants.remove',
  'executions.start',
  'executions.redrive',
  'executions.stop',
  'mapRuns.update',
  'schedules.fire',
  'schedules.pause',
  'schedules.resume',
  'images.clear',
  'releases.rollback',
  'releases.answer',
  'quality.open',
  'quality.accept',
  'quality.exclude',
  'quality.backfill',
  'scaling.override',
  'backups.run',
  'backups.prune',
  'backups.restore',
] as const;

/** One of the operator's acts. */
export type OperatorAct = (typeof operatorActs)[number];

/** How an act ended: `refused` changed nothing, `failed` may have changed something. */
export type ActOutcome = 'done' | 'refused' | 'failed';

/** What both records of an act say. */
interface ActFacts {
  /** ULID of the act. */
  readonly auditId: string;
  /** When the act began, ISO 8601. */
  readonly begunAt: string;
  readonly actor: string;
  readonly via: Actor['via'];
  readonly act: OperatorAct;
  /** What is acted on: `tenant acme`, `execution nightly-training/x`, `schedule nightly-training`, `map run <id>`. */
  readonly subject: string;
  /** What was asked for, cut to what `boundedRequest` keeps. */
  readonly request: unknown;
}

/** Written before an act; without it the act is not done. */
export interface BegunRecord extends ActFacts {
  readonly phase: 'begun';
}

/** Written after an act. */
export interface EndedRecord extends ActFacts {
  readonly phase: 'ended';
  readonly endedAt: string;
  readonly outcome: ActOutcome;
  /** Code of the error of an act that was not done. */
  readonly error?: string;
}

/** One record of the audit log: `AUDIT#month / begunAt#auditId#phase`. Never changed, never removed. */
export type AuditRecord = BegunRecord | EndedRecord;

/** An act as both its records describe it; `unknown` when its end is not on record: it goes on, or its process died. */
export interface AuditEntry extends ActFacts {
  readonly outcome: ActOutcome | 'unknown';
  readonly endedAt?: string;
  readonly error?: string;
}

/** Bytes of a request, as JSON, that are kept. */
const longestRequest = 4_096;

/** Characters of a subject that are kept. */
const longestSubject = 200;

/** The request as it is kept: whole, or its size alone when it is longer than `longestRequest`. Task tokens are left out. */
export function boundedRequest(request: unknown): unknown {
  const text = JSON.stringify(request ?? null, (key, value: unknown) =>
    key === 'taskToken' ? undefined : value,
  );
  const bytes = new TextEncoder().encode(text).length;
  return bytes <= longestRequest ? (JSON.parse(text) as unknown) : { omittedBytes: bytes };
}

/** A subject on one line and of bounded length; it may come from outside. */
export function boundedSubject(subject: string): string {
  const line = subject.replace(/\p{Cc}/gu, ' ');
  return line.length <= longestSubject ? line : `${line.slice(0, longestSubject - 1)}…`;
}

/** The acts that records are about, in the order of the records; either of its records is enough for an act. */
export function entriesOf(records: readonly AuditRecord[]): AuditEntry[] {
  const entries = new Map<string, AuditEntry>();
  for (const { phase, ...facts } of records) {
    const there = entries.get(facts.auditId);
    if (phase === 'ended' || !there) entries.set(facts.auditId, { outcome: 'unknown', ...facts });
  }
  return [...entries.values()];
}
