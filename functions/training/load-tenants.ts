import { z } from 'zod';
import { forecastText } from '../../lib/capacity/forecast-text.ts';
import { NightOverlaps } from '../../lib/errors/run-errors.ts';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsNotifier, awsObjects, awsStores, awsWorkflows, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { requireCurrent } from '../../lib/operations/backup/require-current.ts';
import { airflowTenants } from '../../lib/operations/nights/airflow-tenants.ts';
import { type PlannedNight, planDueTenants } from '../../lib/operations/nights/plan-due.ts';
import { noteWidth } from '../../lib/operations/nights/watch-night.ts';
import { claimDelivery } from '../../lib/operations/schedules/claim-delivery.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import {
  executionSchema,
  type Night,
  nightDate,
  nightInputSchema,
  nightSuffix,
  nightTraceId,
} from '../../lib/training/nights/night-input.ts';

/** Airflow's question: which tenants it has to train, a page at a time. */
const airflowInput = z.strictObject({
  scheduler: z.literal('airflow'),
  logicalDate: z.string(),
  after: z.string(),
  limit: z.int().min(1).max(1_000),
});

const nightInput = z.object({
  input: nightInputSchema,
  machine: z.string().min(1),
  /** Retries of the state so far: people are notified of an overlap once. */
  retries: z.int().min(0).default(0),
  execution: executionSchema,
});

const input = z.union([airflowInput, nightInput]);

type Event = z.output<typeof nightInput>;

const aws = [awsStores, awsObjects, awsWorkflows, awsNotifier] as const;

/** Names of a list in a message: the first ten. */
function firstOf(names: readonly string[]): string {
  return `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}`;
}

/**
 * Claims the scheduled time for this execution, waits until no earlier night runs, plans the night and writes its tenants to the
 * object store in the plan's order, one JSON array. People are notified before it begins when it will not fit.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function createLoadTenants(ports: Wired<typeof aws>) {
  const { objects, workflows, notifier, clock, config, log, metrics } = ports;

  const isScheduled = ({ input: asked }: Event) =>
    asked.trigger !== 'manual' && asked.scheduledTime !== undefined;

  /** Only deliveries of a schedule are deduplicated; an operator means it. */
  async function claim({ input: asked, machine, execution }: Event): Promise<void> {
    if (asked.scheduledTime === undefined) return;
    const { scheduledTime } = asked;
    await claimDelivery(ports, { machine, scheduledTime, holder: execution.id });
  }

  /** Two nights at a time would want the same capacity and the same tenants; of two that wait for each other the earlier one goes. */
  async function waitForEarlier({ machine, execution, retries }: Event): Promise<void> {
    const running = await workflows.list({ machine, status: 'RUNNING' });
    const own = running.find(({ name }) => name === execution.name);
    const startedAt = own?.startDate ?? isoNow(clock);
    const earlier = running.find(
      ({ name, startDate }) =>
        name !== execution.name &&
        (startDate < startedAt || (startDate === startedAt && name < execution.name)),
    );
    if (!earlier) return;
    const error = new NightOverlaps(execution.name, earlier.name);
    metrics.count('NightsOverlapping', 1);
    if (retries === 0)
      await notifier.notify({
        severity: 'critical',
        subject: 'A night waits for an earlier one to end',
        body: error.message,
      });
    throw error;
  }

  /** Says it while something can still be done about it. */
  async function sayWhatIsLate(logicalDate: string, { forecast, quarantined }: PlannedNight): Promise<void> {
    if (quarantined.length > 0) metrics.count('TenantsQuarantined', quarantined.length);
    metrics.count('TenantsForecastLate', forecast.late.length);
    if (forecast.late.length === 0) return;
    await notifier.notify({
      severity: 'warning',
      subject: `The night of ${logicalDate} will not be ready in time`,
      body: `${forecastText(forecast)}. Expected late: ${firstOf(forecast.late)}. The night begins all the same.`,
    });
  }

  /** The first round's file is never overwritten: it says whom the night is judged by. */
  async function writeFirst(uri: string, body: string): Promise<void> {
    try {
      await objects.put(uri, body, { contentType: 'application/json', ifAbsent: true });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  async function loadNight(event: Event): Promise<Night> {
    const { execution } = event;
    const logicalDate = nightDate(event.input, clock.now());
    const traceId = nightTraceId(execution.id);
    noteTraceFields({ traceId, logicalDate });
    const epoch = await requireCurrent(ports);
    if (isScheduled(event)) {
      await claim(event);
      await waitForEarlier(event);
    }
    const planned = await planDueTenants(ports, { logicalDate, now: clock.now() });
    const { due, forecast, maxConcurrency, limitedBy, quarantined } = planned;
    const folder = `nights/${logicalDate}/${execution.name}`;
    const [firstKey, key] = [`${folder}/tenants.json`, `${folder}/tenants-${execution.redriveCount}.json`];
    await writeFirst(`s3://${config.dataBucket}/${firstKey}`, JSON.stringify(due));
    await objects.put(`s3://${config.dataBucket}/${key}`, JSON.stringify(due), {
      contentType: 'application/json',
    });
    await noteWidth(ports, { logicalDate, name: execution.name, maxConcurrency });
    const { late, tooLong, tooLarge, ...counts } = forecast;
    log.info('night loaded', {
      logicalDate,
      round: execution.redriveCount,
      maxConcurrency,
      limitedBy,
      forecast: forecastText(forecast),
      ...counts,
      late: late.slice(0, 100),
      tooLong: tooLong.slice(0, 100),
      tooLarge: tooLarge.slice(0, 100),
      quarantined,
    });
    metrics.count('TenantsDue', due.length);
    await sayWhatIsLate(logicalDate, planned);
    const trigger = event.input.trigger ?? (event.input.scheduledTime === undefined ? 'manual' : 'schedule');
    return {
      logicalDate,
      trigger,
      traceId,
      round: execution.redriveCount,
      tenants: due.length,
      bucket: config.dataBucket,
      key,
      firstKey,
      maxConcurrency,
      suffix: nightSuffix({ trigger, name: execution.name, round: execution.redriveCount, epoch }),
    };
  }

  return async (event: z.output<typeof input>) =>
    'scheduler' in event
      ? airflowTenants(ports, { ...event, logicalDate: nightDate(event, clock.now()) })
      : loadNight(event);
}

export const handler = defineHandler({
  name: 'loadTenants',
  input,
  aws,
  create: createLoadTenants,
});
