import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { findProgram } from '../host/find-program.ts';

const text = z.string().min(1).max(4_096);

/** `notify:` in infra/config/local.yml: one way to reach people, and from which severity on. */
const schema = z.strictObject({
  /** A program and its arguments, run without a shell; the message is its input. */
  command: z.array(text).min(1).max(32).optional(),
  /** Address that the message is posted to. */
  webhook: text.optional(),
  /** File that holds the address, when that is a secret. */
  webhookFile: text.optional(),
  severity: z.enum(['info', 'warning', 'critical']).default('critical'),
});

type Settings = z.output<typeof schema>;

/** Where notifications go, found valid. */
export type Delivery = { readonly severity: Settings['severity'] } & (
  | { readonly kind: 'command'; readonly command: readonly string[] }
  | { readonly kind: 'webhook'; readonly url: URL }
);

const invalid = (what: string) =>
  new EpsilonError('NOTIFY_INVALID', `Setting "notify" in infra/config/local.yml: ${what}.`);

/** Hosts that plain HTTP reaches without leaving this machine. */
const ownHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The address as a URL; what is wrong with it is said without it, because it may hold a secret. */
function urlOf(address: string, from: string): URL {
  const url = URL.parse(address);
  if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && ownHosts.has(url.hostname))))
    throw invalid(`${from} must hold an https address (http for this host only)`);
  if (url.username !== '' || url.password !== '')
    throw invalid(`${from} must not hold a user or password; use a token in the address, in webhookFile`);
  return url;
}

function addressIn(path: string): string {
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw invalid(`others can read ${path}; take their rights away (chmod 600)`);
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof EpsilonError) throw error;
    throw invalid(`webhookFile ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** The program's path: as given when it has a slash, else where PATH finds it. */
function programOf(program: string, projectDir: string, path: string): string {
  const found = findProgram(program, projectDir, path);
  if (found === undefined) throw invalid(`there is no program "${program}" that can be run`);
  return found;
}

/**
 * Where notifications go besides the log, checked so far that a delivery can be tried; undefined when no place is named.
 * Throws `NOTIFY_INVALID`.
 */
export function deliveryOf(
  notify: unknown,
  {
    projectDir,
    variables,
  }: { readonly projectDir: string; readonly variables: Readonly<Record<string, string | undefined>> },
): Delivery | undefined {
  if (notify === undefined || notify === null) return undefined;
  const checked = checkSchema(schema, notify);
  if (!checked.success) {
    const { path, sentence, unknownKey } = checked.fault;
    throw invalid(
      unknownKey === undefined ? `${path.join('.')} ${sentence}`.trim() : `there is no "${unknownKey}"`,
    );
  }
  const { command, webhook, webhookFile, severity } = checked.data;
  if ([command, webhook, webhookFile].filter((one) => one !== undefined).length !== 1)
    throw invalid('name one of command, webhook and webhookFile');
  const [program, ...args] = command ?? [];
  if (program !== undefined)
    return {
      severity,
      kind: 'command',
      command: [programOf(program, projectDir, variables['PATH'] ?? ''), ...args],
    };
  const url =
    webhookFile === undefined
      ? urlOf(webhook ?? '', 'webhook')
      : urlOf(addressIn(resolve(projectDir, webhookFile)), 'webhookFile');
  return { severity, kind: 'webhook', url };
}
