import { z } from 'zod';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/** Exactly what may be called from outside; everything else does not exist. */
export const exposed = {
  workflows: [
    'machines',
    'start',
    'describe',
    'list',
    'history',
    'redrive',
    'stop',
    'mapRuns',
    'describeMapRun',
    'updateMapRun',
  ],
  tenants: ['get', 'list', 'add', 'update', 'suspend', 'resume', 'remove'],
  runs: ['getRun', 'listRuns', 'listAttempts'],
  models: ['get', 'list', 'live', 'promote', 'rollback'],
  objects: ['get', 'head', 'list'],
  logs: ['read'],
  schedules: ['list', 'fire', 'pause', 'resume'],
  images: ['list', 'clear'],
  releases: ['list', 'get', 'rollback', 'answer', 'beat'],
  quality: ['standing', 'standings', 'history', 'partitions', 'open', 'accept', 'exclude', 'backfill'],
  scaling: ['override', 'set'],
  audit: ['list'],
  backups: ['run', 'prune'],
} as const;

/** Ports that are reachable. */
export type ExposedPort = keyof typeof exposed;

const name = z.string().min(1).max(2_048);
const limit = z.int().min(1).max(10_000);
const executionStatus = z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE']);

const runFilter = z.strictObject({
  tenantId: name.optional(),
  logicalDate: name.optional(),
  status: z.enum(['running', 'succeeded', 'failed', 'skipped', 'busy', 'aborted', 'timed-out']).optional(),
  nightArn: name.optional(),
  limit: limit.optional(),
});

const loggedJob = z.looseObject({ jobName: name });

/** What callers may give to reads; acts judge their own arguments and put on record what they refuse. */
const queryArguments: { readonly [P in ExposedPort]?: Readonly<Record<string, z.ZodType>> } = {
  workflows: {
    machines: z.tuple([]),
    describe: z.tuple([name]),
    list: z.tuple([
      z.strictObject({
        machine: name.optional(),
        status: executionStatus.optional(),
        limit: limit.optional(),
      }),
    ]),
    history: z.tuple([name]),
    mapRuns: z.tuple([name]),
    describeMapRun: z.tuple([name]),
  },
  tenants: { get: z.tuple([name]), list: z.tuple([]) },
  runs: { getRun: z.tuple([name]), listRuns: z.tuple([runFilter]), listAttempts: z.tuple([name]) },
  models: { get: z.tuple([name, name]), list: z.tuple([name]), live: z.tuple([name]) },
  objects: {
    get: z.tuple([name, z.strictObject({ first: z.int().min(0).optional() }).nullish()]),
    head: z.tuple([name]),
    list: z.tuple([name]),
  },
  logs: { read: z.tuple([loggedJob, z.enum(['stdout', 'stderr']), z.int().min(0)]) },
  schedules: { list: z.tuple([]) },
  images: { list: z.tuple([]) },
  releases: {
    list: z.tuple([]),
    get: z.tuple([name]),
    beat: z.tuple([z.strictObject({ releaseId: name, act: z.int().min(1) })]),
  },
  quality: {
    standing: z.tuple([name]),
    standings: z.tuple([z.array(name).max(100_000)]),
    history: z.tuple([name, limit]),
    partitions: z.tuple([name, limit]),
  },
  scaling: { override: z.tuple([]) },
  audit: {
    list: z.tuple([
      z.strictObject({
        since: name,
        until: name,
        actor: name.optional(),
        subject: name.optional(),
        limit,
      }),
    ]),
  },
};

/** Refuses arguments of a read that it cannot take: `INPUT_INVALID` naming the place. */
export function checkQuery(port: ExposedPort, method: string, args: readonly unknown[]): void {
  const schema = queryArguments[port]?.[method];
  if (!schema) return;
  const checked = checkSchema(schema, args);
  if (checked.success) return;
  const { path, sentence } = checked.fault;
  throw new EpsilonError('INPUT_INVALID', `${port}.${method}, ${['args', ...path].join('.')}: ${sentence}.`);
}

const callSchema = z.object({
  port: z.string().min(1),
  method: z.string().min(1),
  args: z.array(z.unknown()).default([]),
});

/** One call. */
export type Call = Readonly<z.output<typeof callSchema>>;

/** The call that a request's body holds; `RPC_BODY_INVALID` when it holds none. */
export function callOf(body: string): Call {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new EpsilonError('RPC_BODY_INVALID', 'The body is not JSON; send {"port", "method", "args"}.');
  }
  const checked = checkSchema(callSchema, value);
  if (checked.success) return checked.data;
  const { path, sentence } = checked.fault;
  throw new EpsilonError(
    'RPC_BODY_INVALID',
    `The body${path.length > 0 ? `, ${path.join('.')},` : ''} ${sentence}; send {"port", "method", "args"}.`,
  );
}
