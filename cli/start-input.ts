import { readFileSync } from 'node:fs';
import { EpsilonError } from '../lib/errors/epsilon-error.ts';
import { nightDate, nightInputSchema } from '../lib/training/nights/night-input.ts';
import { command, type Session } from './session.ts';

/** JSON of an option: the text itself, or the file behind `@`. */
export function inputOf(text: string): unknown {
  let body = text;
  try {
    if (text.startsWith('@')) body = readFileSync(text.slice(1), 'utf8');
    return JSON.parse(body);
  } catch (error) {
    throw new EpsilonError(
      'INPUT_INVALID',
      `--input is not JSON (or @file with JSON): ${(error as Error).message}.`,
      { cause: error },
    );
  }
}

/** What `run` was asked for. */
export interface StartOptions {
  readonly input?: string;
  readonly tenant?: string;
  readonly name?: string;
}

/** An execution to be started. */
export interface Start {
  readonly input: Readonly<Record<string, unknown>>;
  readonly name: string;
}

function objectOf(text: string): Record<string, unknown> {
  const input = inputOf(text);
  if (typeof input === 'object' && input !== null && !Array.isArray(input))
    return input as Record<string, unknown>;
  throw new EpsilonError('INPUT_INVALID', `--input is ${JSON.stringify(input)}; an object is needed.`);
}

/** Refuses here, with nothing started, what the night would refuse when it has begun. */
function checkNight(input: Readonly<Record<string, unknown>>, now: number): void {
  const parsed = nightInputSchema.strict().safeParse(input);
  if (parsed.success) {
    nightDate(parsed.data, now);
    return;
  }
  const issue = parsed.error.issues[0];
  throw new EpsilonError(
    'INPUT_INVALID',
    `--input${issue?.path.length ? `, ${issue.path.join('.')}` : ''}: ${issue?.message}.`,
  );
}

/**
 * Input and name of an execution that an operator starts. Errors, with nothing started: `USAGE` for a tenant where none
 * belongs or none where one is needed, `INPUT_INVALID`, `DATE_OUT_OF_RANGE`.
 */
export function startOf(session: Session, machine: string, options: StartOptions): Start {
  const unique = session.ids.ulid().toLowerCase();
  const given = options.input === undefined ? {} : objectOf(options.input);
  if (machine === 'nightly-training') {
    if (options.tenant !== undefined)
      throw new EpsilonError(
        'USAGE',
        `A night is of all tenants that are due; one alone: ${command(session, `run tenant-model-training --tenant ${options.tenant}`)}`,
      );
    checkNight(given, session.clock.now());
    // An operator's night is meant: it is never taken for a second delivery of the schedule.
    return { input: { trigger: 'manual', ...given }, name: options.name ?? `manual-${unique}` };
  }
  const input = options.tenant === undefined ? given : { ...given, tenantId: options.tenant };
  if (machine === 'tenant-model-training' && input['tenantId'] === undefined)
    throw new EpsilonError('USAGE', 'tenant-model-training trains one tenant: say --tenant <tenant>.');
  const prefix = options.tenant === undefined ? '' : `${options.tenant}-`;
  return { input, name: options.name ?? `${prefix}manual-${unique}` };
}
