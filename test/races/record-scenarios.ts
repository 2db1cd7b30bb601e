import { handler as loadTenants } from '../../functions/training/load-tenants.ts';
import { noteImage } from '../../lib/operations/attempts/note-image.ts';
import type { QualityVerdict } from '../../lib/quality/verdict.ts';
import { anAttempt, aTenant } from '../fixtures/records.ts';
import { portsOf } from './ports.ts';
import type { Scenario } from './scenario.ts';
import type { Trial } from './trial.ts';

const quiet = { backend: 'host', retries: 0, limits: {} } as const;

/** What a scenario without machines counts: it is asked for when all is quiet. */
const counted = new WeakMap<Trial, { edits: number; claims: number }>();

function countsOf(trial: Trial) {
  const counts = counted.get(trial) ?? { edits: 0, claims: 0 };
  counted.set(trial, counts);
  return counts;
}

/** Two operators change one tenant: the later write must not undo the earlier one unseen. */
export const editTwice: Scenario = {
  ...quiet,
  name: 'edit-twice',
  about: 'Two operators change one tenant at the same time.',
  prepare: async (trial) => {
    await trial.stores.direct.tenants.put(aTenant(), 0);
    for (let count = 0; count < 2; count += 1)
      trial.spawn('Operator', async (actor) => {
        const { tenants } = portsOf(trial, actor);
        const tenant = await tenants.get('acme');
        if (!tenant) return;
        await tenants.put({ ...tenant, priority: tenant.priority + 1 }, tenant.version);
        if (!actor.faulted) countsOf(trial).edits += 1;
      });
  },
  promises: async (trial) => {
    const priority = (await trial.stores.direct.tenants.get('acme'))?.priority ?? 0;
    const { edits } = countsOf(trial);
    return priority < aTenant().priority + edits
      ? `${edits} changes were accepted, the record shows fewer`
      : undefined;
  },
};

const verdict = (hour: number): QualityVerdict => ({
  tenantId: 'acme',
  verdict: 'passed',
  findings: [],
  checkedAt: `2026-11-24T0${hour}:00:00.000Z`,
  since: '2026-11-24T00:00:00.000Z',
});

/** Two verdicts on one tenant, recorded in either order. */
export const judgeTwice: Scenario = {
  ...quiet,
  name: 'judge-twice',
  about: 'Two verdicts on one tenant are recorded at the same time.',
  prepare: async (trial) => {
    for (const hour of [1, 2])
      trial.spawn('Judge', async (actor) => {
        await portsOf(trial, actor).verdicts.record(verdict(hour));
        if (!actor.faulted && hour === 2) countsOf(trial).edits += 1;
      });
  },
  promises: async (trial) => {
    if (countsOf(trial).edits === 0) return undefined;
    const { verdict: found } = await trial.stores.direct.verdicts.standing('acme');
    return found?.checkedAt === verdict(2).checkedAt ? undefined : 'the older verdict replaced the newer one';
  },
};

/** One scheduled time, delivered to two executions. */
export const claimTwice: Scenario = {
  ...quiet,
  name: 'claim-twice',
  about: 'One scheduled time is delivered to two executions.',
  prepare: async (trial) => {
    await trial.stores.direct.tenants.put(aTenant(), 0);
    for (const name of ['first', 'second'])
      trial.spawn('Night', async (actor, context) => {
        const execution = { id: `arn:${name}`, name, redriveCount: 0 };
        const input = { trigger: 'schedule', scheduledTime: '2026-11-24T02:00:00.000Z' };
        await loadTenants.withPorts(portsOf(trial, actor))(
          { input, machine: 'nightly-training', execution },
          context,
        );
        countsOf(trial).claims += 1;
      });
  },
  promises: async (trial) =>
    countsOf(trial).claims > 1 ? `${countsOf(trial).claims} nights run for one scheduled time` : undefined,
};

const image = `data-pipeline@sha256:${'a'.repeat(64)}`;
const cannotStart = (tenantId: string) =>
  anAttempt({ tenantId, image, status: 'failed', error: 'JobCannotStart', cause: 'no such image' });

/** Jobs of three tenants cannot be started by one image, and those that are noted side by side may not be lost. */
const imageFails = (how: 'first' | 'twice'): Scenario => ({
  ...quiet,
  name: `image-fails-${how}`,
  about: `Jobs of three tenants cannot be started by one image, and ${how === 'first' ? 'all' : 'two of them'} are noted at the same time.`,
  prepare: async (trial) => {
    const { runId, intentAt: submittedAt } = cannotStart('first');
    const at = new Date(trial.now()).toISOString();
    const failures = [{ tenantId: 'first', runId, submittedAt, at, why: 'no such image' }];
    if (how === 'twice') await trial.stores.direct.imageRecords.put({ image, version: 0, failures }, 0);
    for (const tenantId of [...(how === 'first' ? ['first'] : []), 'second', 'third'])
      trial.spawn('Note', async (actor) => {
        await noteImage(portsOf(trial, actor), cannotStart(tenantId));
        if (!actor.faulted) countsOf(trial).edits += 1;
      });
  },
  promises: async (trial) => {
    const [record] = await trial.stores.direct.imageRecords.find([image]);
    return countsOf(trial).edits === (how === 'first' ? 3 : 2) && record?.badSince === undefined
      ? 'three tenants failed, and the image is not bad'
      : undefined;
  },
});

/** Nothing is on record of the image yet. */
export const imageFailsFirst: Scenario = imageFails('first');
/** One failure is on record already. */
export const imageFailsTwice: Scenario = imageFails('twice');
