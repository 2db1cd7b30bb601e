import { z } from 'zod';
import { durationsFrom } from '../../capacity/durations.ts';
import { type BegunRun, type Course, courseOf, type QueueUse } from '../../capacity/night-course.ts';
import { type QueueName, vcpusOf } from '../../capacity/queues.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import type { ExecutionDetail, MapRun } from '../../ports/workflows.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { DueTenant } from '../../training/nights/due-tenants.ts';
import { dayBefore } from '../../training/nights/logical-date.ts';
import { nightDate, nightInputSchema } from '../../training/nights/night-input.ts';
import { type Attempt, type Run, terminalStatuses } from '../../training/run.ts';
import { isStage, jobKinds } from '../../training/stages.ts';

type Needed = Pick<
  Ports,
  'tenants' | 'runs' | 'objects' | 'workflows' | 'notifier' | 'clock' | 'config' | 'log' | 'metrics'
>;

/** What a night's widths were set to by Epsilon itself, and whether people know that it is behind: beside its list of tenants. */
const courseSchema = z.object({ widths: z.array(z.int()), told: z.boolean() });

type Note = z.output<typeof courseSchema>;

/** What became of one look at a night. */
export interface Look {
  readonly outcome: 'no-map' | 'not-planned' | 'steered-by-hand' | 'unknown-queue' | 'on-course' | 'widened';
  readonly late?: number;
  readonly width?: number;
}

/** Runs whose records are read side by side. */
const readsAtOnce = 16;

/** Names of the night's objects. */
const folderOf = (bucket: string, logicalDate: string, name: string) =>
  `s3://${bucket}/nights/${logicalDate}/${name}`;

/** Notes the width that a night begins with, so that whoever watches it knows an operator's own from it. */
export async function noteWidth(
  { objects, config }: Pick<Ports, 'objects' | 'config'>,
  night: { readonly logicalDate: string; readonly name: string; readonly maxConcurrency: number },
): Promise<void> {
  const note: Note = { widths: [night.maxConcurrency], told: false };
  await objects.put(
    `${folderOf(config.dataBucket, night.logicalDate, night.name)}/course.json`,
    JSON.stringify(note),
    {
      contentType: 'application/json',
    },
  );
}

async function read<T>({ objects }: Needed, uri: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(await objects.get(uri))));
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

const dueSchema: z.ZodType<DueTenant[]> = z.array(
  z.object({
    tenantId: z.string(),
    logicalDate: z.string(),
    plan: z.object({ deadline: z.string().optional(), spotUntil: z.string().optional() }),
  }),
) as never;

/** The list of the round that runs: that of the newest redrive which loaded tenants again. */
async function dueOf(
  ports: Needed,
  folder: string,
  redriveCount: number,
): Promise<readonly DueTenant[] | undefined> {
  for (let round = redriveCount; round >= 0; round -= 1) {
    const found = await read(ports, `${folder}/tenants-${round}.json`, dueSchema);
    if (found) return found;
  }
  return undefined;
}

/** How far a run has come, and its open attempts. */
interface Progress {
  readonly tenant: Tenant;
  readonly run: BegunRun;
  readonly open: readonly Attempt[];
}

function progressOf(tenant: Tenant, attempts: readonly Attempt[], now: number): Progress {
  const succeeded = attempts.filter(({ status }) => status === 'succeeded');
  const done = new Set(succeeded.map(({ stage }) => stage).filter(isStage));
  const open = attempts.filter(
    ({ status, stage }) => !terminalStatuses.has(status) && isStage(stage) && !done.has(stage),
  );
  const began = open.flatMap(({ status, startedAt }) =>
    status === 'running' && startedAt !== undefined ? [Date.parse(startedAt)] : [],
  );
  const spent = began.length === 0 ? 0 : Math.max(0, (now - Math.min(...began)) / 1000);
  return { tenant, run: { tenant, done, spent }, open };
}

/** What open attempts do in each queue. */
function usesOf({ clock, config }: Needed, open: readonly Attempt[]): Map<QueueName, QueueUse> {
  const longest = config.training.placementSeconds * 1000;
  const waitsLong = ({ status, submittedAt }: Attempt) =>
    status === 'submitted' && submittedAt !== undefined && clock.now() - Date.parse(submittedAt) > longest;
  const queues = Map.groupBy(open, ({ backend, capacity }): QueueName => `${backend}/${capacity}`);
  return new Map(
    [...queues].map(([queue, attempts]) => {
      const running = attempts
        .filter(({ status }) => status === 'running')
        .map(({ stage, resources }) => resources ?? jobKinds[stage].resources);
      const sum = (key: 'cpu' | 'memoryMiB') => running.reduce((total, asked) => total + asked[key], 0);
      const use = { running: { cpu: sum('cpu'), memoryMiB: sum('memoryMiB') } };
      return [queue, { ...use, waitsLong: attempts.some(waitsLong) }];
    }),
  );
}

/** Reads what the night's tenants have come to, and plays out the rest. */
async function lookAt(
  ports: Needed,
  night: ExecutionDetail & { readonly logicalDate: string },
  { due, map }: { readonly due: readonly DueTenant[]; readonly map: MapRun },
): Promise<Course | undefined> {
  const { logicalDate } = night;
  const tenants = new Map((await ports.tenants.list()).map((tenant) => [tenant.tenantId, tenant]));
  const tonight = await ports.runs.listRuns({ logicalDate });
  const own = new Map(
    tonight.filter(({ nightArn }) => nightArn === night.executionArn).map((run) => [run.tenantId, run]),
  );
  const running = tonight.filter(({ status }) => status === 'running');
  const progress: Progress[] = [];
  await inParallel(running, readsAtOnce, async (run: Run) => {
    const tenant = tenants.get(run.tenantId);
    const found = tenant && (await ports.runs.getRunWithAttempts(run.runId));
    if (tenant && found) progress.push(progressOf(tenant, found.attempts, ports.clock.now()));
  });
  progress.sort((a, b) => (a.tenant.tenantId < b.tenant.tenantId ? -1 : 1));
  // The Map begins its items in their order; what it has begun and has no record yet is on its way.
  const waiting = due.flatMap(({ tenantId }) => (own.has(tenantId) ? [] : (tenants.get(tenantId) ?? [])));
  return courseOf({
    begun: progress.map(({ run }) => run),
    waiting: map.children.pending === 0 ? [] : waiting.slice(-map.children.pending),
    durations: durationsFrom([
      ...tonight,
      ...(await ports.runs.listRuns({ logicalDate: dayBefore(logicalDate) })),
    ]),
    deadlines: new Map(
      due.flatMap(({ tenantId, plan }) =>
        plan.deadline === undefined ? [] : [[tenantId, Date.parse(plan.deadline)] as const],
      ),
    ),
    uses: usesOf(
      ports,
      progress.flatMap(({ open }) => open),
    ),
    config: ports.config,
    now: ports.clock.now(),
    width: map.maxConcurrency,
  });
}

/** Names in a message: the first ten. */
const firstOf = (names: readonly string[]) =>
  `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}`;

/** Widens the Map; false when it has ended meanwhile. */
async function widen({ workflows }: Needed, mapRunArn: string, maxConcurrency: number): Promise<boolean> {
  try {
    await workflows.updateMapRun(mapRunArn, { maxConcurrency });
    return true;
  } catch (error) {
    if (error instanceof EpsilonError && error.code === 'MAP_RUN_NOT_RUNNING') return false;
    throw error;
  }
}

/** People are told once a night, when nothing more is likely to help. */
function messageOf(logicalDate: string, width: number, { late, lateThen, width: wider }: Course) {
  const names = `Expected late: ${firstOf(lateThen)}.`;
  const widened =
    wider > width
      ? ` It was widened from ${width} to ${wider} tenants at a time; ${late.length} would be late otherwise.`
      : ' More tenants at a time would not help.';
  return {
    severity: 'warning' as const,
    subject: `The night of ${logicalDate} is behind its deadline`,
    body: `${lateThen.length} of its tenants are expected to end late.${widened} ${names}`,
  };
}

async function watchMap(
  ports: Needed,
  night: ExecutionDetail & { readonly logicalDate: string },
  map: MapRun,
): Promise<Look> {
  const { config, objects, metrics, log } = ports;
  const folder = folderOf(config.dataBucket, night.logicalDate, night.name);
  const noteUri = `${folder}/course.json`;
  const note = await read(ports, noteUri, courseSchema);
  const due = await dueOf(ports, folder, night.redriveCount);
  if (!note || !due) return { outcome: 'not-planned' };
  // Whoever narrows or widens a night by hand has a reason that is not known here.
  if (!note.widths.includes(map.maxConcurrency)) return { outcome: 'steered-by-hand' };
  const course = await lookAt(ports, night, { due, map });
  if (!course) return { outcome: 'unknown-queue' };
  const { late, width, lateThen } = course;
  metrics.count('TenantsExpectedLate', lateThen.length);
  const isWider = width > map.maxConcurrency;
  const tells = lateThen.length > 0 && !note.told;
  // The note first: a width that is not noted counts as an operator's.
  if (isWider || tells) {
    const widths = isWider ? [...note.widths, width] : note.widths;
    await objects.put(noteUri, JSON.stringify({ widths, told: note.told || tells }), {
      contentType: 'application/json',
    });
  }
  const widened = isWider && (await widen(ports, map.mapRunArn, width));
  if (widened) metrics.count('NightsWidened', 1);
  if (widened || late.length > 0)
    log.warn(widened ? 'night widened' : 'night behind its deadline', {
      logicalDate: night.logicalDate,
      before: map.maxConcurrency,
      width: widened ? width : map.maxConcurrency,
      late: late.slice(0, 100),
      lateThen: lateThen.length,
    });
  if (tells) await ports.notifier.notify(messageOf(night.logicalDate, map.maxConcurrency, course));
  return { outcome: widened ? 'widened' : 'on-course', late: lateThen.length, width };
}

const queues: readonly QueueName[] = ['batch/spot', 'batch/on-demand', 'eks/spot', 'eks/on-demand'];

/**
 * Looks at each night that runs: where some of its tenants are expected to end after their deadline and more at a time would end
 * in time, it lets more run at a time; people are notified, once a night, of tenants that are late all the same. A width that an operator
 * has set is left alone. Safe to repeat and to run twice at a time.
 */
export async function watchNights(ports: Needed): Promise<Look[]> {
  // On a host without queues of known size nothing follows from a look.
  if (!queues.some((queue) => vcpusOf(ports.config, queue) > 0)) return [];
  const machine = 'nightly-training';
  const looks: Look[] = [];
  for (const { executionArn, startDate } of await ports.workflows.list({ machine, status: 'RUNNING' })) {
    const night = await ports.workflows.describe(executionArn);
    const map = (await ports.workflows.mapRuns(executionArn)).find(({ status }) => status === 'RUNNING');
    if (!map) {
      looks.push({ outcome: 'no-map' });
      continue;
    }
    const logicalDate = nightDate(nightInputSchema.parse(night.input), Date.parse(startDate));
    looks.push(await watchMap(ports, { ...night, logicalDate }, map));
  }
  return looks;
}
