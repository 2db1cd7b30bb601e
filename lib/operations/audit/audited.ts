import type { z } from 'zod';
import {
  type ActOutcome,
  type Actor,
  type BegunRecord,
  boundedRequest,
  boundedSubject,
  type OperatorAct,
} from '../../audit/record.ts';
import { checkSchema } from '../../errors/check-schema.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { AuditLog } from '../../ports/audit-log.ts';
import { type Clock, isoNow } from '../../ports/clock.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { Log } from '../../ports/log.ts';

/** What an audited act needs of its surroundings. */
export interface AuditPorts {
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
}

/** One of the operator's acts. */
export interface ActDefinition<A extends readonly unknown[], R> {
  readonly act: OperatorAct;
  /** What callers may give; everything else is refused with `INPUT_INVALID`. */
  readonly args: z.ZodType<A>;
  /** What is acted on. */
  subject(args: A): string;
  perform(args: A): Promise<R>;
}

/** An act's error code and whether it changed nothing for sure. */
function endOf(error: unknown): { readonly outcome: ActOutcome; readonly error: string } {
  if (!(error instanceof EpsilonError)) return { outcome: 'failed', error: 'INTERNAL' };
  const refused = error.exitCode === exitCodes.badInput || error.exitCode === exitCodes.conflict;
  return { outcome: refused ? 'refused' : 'failed', error: error.code };
}

function parseArgs<A extends readonly unknown[], R>(
  { act, args: schema }: ActDefinition<A, R>,
  given: readonly unknown[],
): A {
  const parsed = checkSchema(schema, given);
  if (parsed.success) return parsed.data;
  const { path, sentence } = parsed.fault;
  const place = path.slice(1).join('.');
  throw new EpsilonError('INPUT_INVALID', `${act}${place ? `, ${place}` : ''}: ${sentence}.`);
}

/** The end goes on record if it can: what has been done is done, and an act without it reads `unknown`. */
async function recordEnd(
  { audit, clock, log }: AuditPorts,
  begun: BegunRecord,
  end: { readonly outcome: ActOutcome; readonly error?: string },
): Promise<void> {
  const endedAt = isoNow(clock);
  try {
    await audit.append({ ...begun, ...end, phase: 'ended', endedAt });
  } catch (error) {
    const { auditId, act } = begun;
    log.error('end of an act not on record', { auditId, act, ...end, reason: String(error) });
  }
}

/**
 * Makes an act that is on record before it is done, and again with its outcome; refused ones too, with their error code. An act
 * that cannot be put on record is not done. Who acts is fixed here and no argument of the act.
 */
export function audited<A extends readonly unknown[], R>(
  ports: AuditPorts,
  actor: Actor,
  definition: ActDefinition<A, R>,
): (...args: A) => Promise<R> {
  return async (...given) => {
    let args: A | undefined;
    let invalid: unknown;
    try {
      args = parseArgs(definition, given);
    } catch (error) {
      invalid = error;
    }
    const begun: BegunRecord = {
      phase: 'begun',
      auditId: ports.ids.ulid(),
      begunAt: isoNow(ports.clock),
      actor: actor.id,
      via: actor.via,
      act: definition.act,
      subject: boundedSubject(args ? definition.subject(args) : 'unknown'),
      request: boundedRequest(given),
    };
    await ports.audit.append(begun);
    try {
      if (!args) throw invalid;
      const result = await definition.perform(args);
      await recordEnd(ports, begun, { outcome: 'done' });
      return result;
    } catch (error) {
      await recordEnd(ports, begun, endOf(error));
      throw error;
    }
  };
}
