import { readFileSync } from 'node:fs';
import { EpsilonError } from '../lib/errors/epsilon-error.ts';
import { findMachine } from '../lib/machines/catalogue.ts';
import type { Machine } from '../lib/machines/machine.ts';
import { command, type Session } from './session.ts';

/** JSON of an option: the text itself, or the file behind `@`. */
export function parseJsonInput(text: string): unknown {
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
export interface StartRequest {
  readonly input: Readonly<Record<string, unknown>>;
  readonly name: string;
}

function objectOf(text: string): Record<string, unknown> {
  const input = parseJsonInput(text);
  if (typeof input === 'object' && input !== null && !Array.isArray(input))
    return input as Record<string, unknown>;
  throw new EpsilonError('INPUT_INVALID', `--input is ${JSON.stringify(input)}; an object is needed.`);
}

/** Refuses a tenant where none belongs, and none where one is needed. */
function checkTenantUse(session: Session, { key, tenants }: Machine, tenant: unknown): void {
  if (tenants.tenant === 'refused' && tenant !== undefined)
    throw new EpsilonError(
      'USAGE',
      `${key} takes no --tenant; it ${tenants.does}. For one tenant: ${command(session, `run ${tenants.instead} --tenant ${String(tenant)}`)}`,
    );
  if (tenants.tenant === 'required' && tenant === undefined)
    throw new EpsilonError('USAGE', `${key} ${tenants.does}: add --tenant <tenant>.`);
}

/**
 * Input and name of an execution that an operator starts. A machine that the catalogue does not know gets what was given:
 * whoever runs it refuses what it does not take. Errors: `USAGE` for a tenant where none belongs or none where one is needed,
 * `INPUT_INVALID` for what is no object; the rest is judged by the operation that starts it.
 */
export function prepareStart(session: Session, machine: string, options: StartOptions): StartRequest {
  const unique = session.ids.ulid().toLowerCase();
  const given = options.input === undefined ? {} : objectOf(options.input);
  const asked = options.tenant === undefined ? given : { ...given, tenantId: options.tenant };
  const known = findMachine(machine);
  const input = { ...known?.manual, ...asked };
  if (known)
    checkTenantUse(session, known, known.tenants.tenant === 'refused' ? options.tenant : asked['tenantId']);
  const prefix = options.tenant === undefined ? '' : `${options.tenant}-`;
  return { input, name: options.name ?? `${prefix}manual-${unique}` };
}
