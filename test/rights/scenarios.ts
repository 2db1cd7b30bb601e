import { jobTags } from '../../lib/aws/batch/submit-input.ts';
import type { AttemptKey } from '../../lib/ports/run-store.ts';
import { sdkError } from '../aws/batch-stand-in.ts';
import { openCollector } from '../contract/trace-sink.ts';
import { account, region } from '../fixtures/aws-base.ts';
import { openDeployedNight, type Recorded } from './deployed-night.ts';
import { qualityScenarios } from './quality-scenarios.ts';
import { resources } from './requests.ts';
import { minute, mustEnd, questionOf, type Scenario } from './scenario.ts';

const stopped = { error: 'Stopped', cause: 'by the test' };
const deciding = JSON.stringify({
  mode: 'apply',
  perReplica: 50,
  metric: { namespace: 'AWS/ApplicationELB', name: 'RequestCount', stat: 'Sum' },
});
const noAnswer = () => sdkError('TimeoutError', 'no answer');

const warningOf = (instance: string) => ({
  version: '0',
  id: '12345678-1234-1234-1234-123456789012',
  'detail-type': 'EC2 Spot Instance Interruption Warning',
  source: 'aws.ec2',
  account,
  region,
  time: '2026-11-24T03:00:00Z',
  resources: [],
  detail: { 'instance-id': instance, 'instance-action': 'terminate' },
});

/** The ECS tasks of attempts, by the tags that their jobs gave them. */
const tasksOf = (attempts: readonly AttemptKey[]) =>
  attempts.map(({ runId, stage, attempt }) => ({
    [jobTags.environment]: resources.environment,
    [jobTags.run]: runId,
    [jobTags.stage]: stage,
    [jobTags.attempt]: String(attempt),
  }));

/** Who collects the traces of a night. */
const collector = await openCollector();

/** What the deployed functions live through while their requests are noted; each a path that no other one takes. */
const scenarios: readonly Scenario[] = [
  {
    name: 'a night of the schedule, and what is kept ready for the next one',
    variables: { EPSILON_SCALING: deciding },
    happens: async (night) => {
      await night.add('acme', 'beta');
      await mustEnd(night, await night.fire(), 'SUCCEEDED');
      const event = { scheduledTime: '2026-11-25T01:50:00Z', minutesAhead: 10 };
      await night.invoke('prewarmNight', event);
      await night.invoke('recordBill', {});
    },
  },
  {
    name: 'a night in which a tenant fails, that is redriven after a release, and the night after',
    variables: { EPSILON_TRACING: JSON.stringify({ mode: 'otlp', endpoint: collector.endpoint }) },
    happens: async (night) => {
      await night.add('acme', 'beta');
      const fails = ({ jobName = '' }) => jobName.startsWith('beta') && jobName.includes('-train-');
      night.batch.fate = (job) => ({ seconds: 1, ...(fails(job) ? { exitCode: 1 } : {}) });
      const arn = await night.fire();
      await mustEnd(night, arn, 'FAILED');
      night.batch.fate = () => ({ seconds: 1 });
      await night.runtime.control.workflows.redrive(arn);
      await mustEnd(night, arn, 'SUCCEEDED');
      await mustEnd(night, await night.fire('2026-11-25T02:00:00.000Z'), 'SUCCEEDED');
    },
  },
  {
    name: 'a night whose tenants will be late',
    variables: { EPSILON_TRAINING_DEADLINE: '02:30', EPSILON_QUEUE_SIZE_BATCH_SPOT_VCPUS: '64' },
    happens: async (night) => {
      await night.add('acme', 'beta');
      night.batch.fate = () => ({ seconds: 9 * 3_600 });
      const arn = await night.fire();
      await night.advance(11 * minute);
      await night.runtime.control.workflows.stop(arn, stopped);
    },
  },
  {
    name: 'images that are newer than the job definitions',
    happens: async (night) => {
      await night.add('acme');
      night.release('1');
      await mustEnd(night, await night.train('acme'), 'SUCCEEDED');
    },
  },
  {
    name: 'events that are all lost, over several shards',
    variables: { EPSILON_RECONCILE_SHARDS: '2' },
    happens: async (night) => {
      await night.add('acme', 'beta');
      night.batch.deliveries = 0;
      night.batch.fate = ({ jobName }) => ({
        seconds: 1,
        ...(jobName?.includes('-train-1') ? { exitCode: 1 } : {}),
      });
      const runs = [await night.train('acme'), await night.train('beta')];
      for (const arn of runs) await mustEnd(night, arn, 'SUCCEEDED');
    },
  },
  {
    name: 'a submission whose answer is lost, and one that never reached Batch',
    happens: async (night) => {
      await night.add('acme');
      night.release('2');
      night.batch.fate = () => ({ seconds: 20 });
      night.batch.fail('SubmitJob', { error: noAnswer(), after: true });
      const arn = await night.train('acme');
      await night.advance(minute / 2);
      night.batch.fail('SubmitJob', { error: noAnswer() });
      await mustEnd(night, arn, 'SUCCEEDED');
    },
  },
  {
    name: 'a job that Batch forgets, and one whose result is missing',
    happens: async (night) => {
      await night.add('acme');
      const leave = night.batch.onSuccess;
      night.batch.onSuccess = (job) => (job.jobName?.includes('-prepare-') ? undefined : leave(job));
      night.batch.fate = ({ jobName }) => (jobName?.includes('-train-1') ? {} : { seconds: 1 });
      const arn = await night.train('acme');
      await night.advance(2 * minute);
      for (const job of night.batch.live()) night.batch.jobs.delete(job.jobId ?? '');
      await night.until(arn);
    },
  },
  {
    name: 'a queue that has no capacity',
    happens: async (night) => {
      await night.add('acme');
      night.batch.fate = ({ jobQueue = '', jobName }) =>
        jobQueue.includes('Spot') && jobName?.includes('-train-')
          ? { notPlaced: { statusReason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none' } }
          : { seconds: 1 };
      await mustEnd(night, await night.train('acme'), 'SUCCEEDED');
    },
  },
  {
    name: 'a run that an operator stops, one beside it that is busy, and a stop whose event is lost',
    happens: async (night) => {
      await night.add('acme');
      night.batch.fate = () => ({});
      const arn = await night.train('acme');
      await night.advance(2 * minute);
      await night.train('acme', 'acme-second');
      await night.advance(2 * minute);
      await night.runtime.control.workflows.stop(arn, stopped);
      await night.advance(5 * minute);
    },
  },
  {
    name: 'an instance that EC2 takes away',
    happens: async (night) => {
      await night.add('acme');
      night.batch.fate = () => ({});
      await night.train('acme');
      await night.advance(minute);
      night.runOnInstance(tasksOf(await night.runtime.control.runs.listAttempts('acme-manual')));
      await night.invoke('vacateInstance', warningOf('i-0123456789abcdef0'));
      await night.advance(minute);
    },
  },
  {
    name: 'a job that asks for the credentials of its attempt',
    happens: async (night) => {
      await night.add('acme');
      night.batch.fate = () => ({});
      await night.train('acme');
      await night.advance(minute);
      const [attempt] = await night.runtime.control.runs.listAttempts('acme-manual');
      const { statusCode, body } = (await night.invoke('lendCredentials', questionOf(attempt))) as {
        statusCode: number;
        body: string;
      };
      if (statusCode !== 200) throw new Error(`lendCredentials answered ${statusCode}: ${body}`);
    },
  },
  {
    name: 'jobs whose ids nobody wrote down, when their run is stopped and when their instance is taken away',
    schedules: false,
    happens: async (night) => {
      await night.add('acme', 'beta', 'gamma');
      night.batch.deliveries = 0;
      night.batch.fate = ({ jobName }) =>
        jobName?.startsWith('beta')
          ? {}
          : { seconds: 1, ...(jobName?.startsWith('gamma') ? { exitCode: 1 } : {}) };
      const unanswered = async (tenantId: string) => {
        night.batch.fail('SubmitJob', { error: noAnswer(), after: true });
        const arn = await night.train(tenantId);
        await night.settle();
        return arn;
      };
      const runs = [await unanswered('acme'), await unanswered('gamma')];
      night.lose('submitStage');
      await night.advance(minute / 6);
      for (const arn of runs) await night.runtime.control.workflows.stop(arn, stopped);
      await night.settle();
      night.lose(undefined);
      await unanswered('beta');
      night.runOnInstance(tasksOf(await night.runtime.control.runs.listAttempts('beta-manual')));
      // So that the budget of calls is full again: nobody repeats this invocation.
      night.lose('submitStage');
      await night.advance(minute / 60);
      await night.invoke('vacateInstance', warningOf('i-0123456789abcdef0'));
    },
  },
  {
    name: 'jobs whose ends nobody hears of until their stage is entered again',
    schedules: false,
    happens: async (night) => {
      await night.add('acme');
      night.batch.deliveries = 0;
      night.batch.fate = ({ jobName }) => ({
        seconds: 1,
        ...(jobName?.includes('-train-1') ? { exitCode: 1 } : {}),
      });
      await mustEnd(night, await night.train('acme'), 'SUCCEEDED');
    },
  },
  {
    name: 'a stage whose entry died before it had a job definition, over midnight',
    variables: { EPSILON_TRAINING_LOOKUP_GRACE_SECONDS: '1' },
    happens: async (night) => {
      await night.add('acme');
      night.release('3');
      night.batch.fail('RegisterJobDefinition', { error: noAnswer() });
      const arn = await night.train('acme');
      await night.settle();
      night.lose('submitStage');
      await night.advance(2 * minute);
      night.lose(undefined);
      await mustEnd(night, arn, 'SUCCEEDED');
    },
  },
  {
    name: 'a run whose failure nobody hears of',
    happens: async (night) => {
      await night.add('acme');
      night.batch.fate = () => ({});
      const arn = await night.train('acme');
      await night.advance(minute);
      night.lose('settleRun');
      await night.runtime.control.workflows.stop(arn, stopped);
      await night.advance(10 * minute);
    },
  },
  ...qualityScenarios,
  {
    name: 'a decision about capacity',
    variables: {
      EPSILON_SCALING: deciding,
    },
    happens: async (night) => {
      const { executionArn } = await night.runtime.ports.workflows.start({
        machine: 'autoscaling',
        input: {},
      });
      await mustEnd(night, executionArn, 'SUCCEEDED');
    },
  },
  {
    name: 'backups of a day: a snapshot that fails, one that is old, and the event of a copy',
    variables: {
      EPSILON_RECOVERY: '{"mode":"on","region":"us-east-1","keepAtLeast":1,"retention":{"modelsKept":0}}',
    },
    schedules: false,
    happens: async (night) => {
      await night.add('acme');
      await mustEnd(night, await night.train('acme'), 'SUCCEEDED');
      night.replicate();
      const backUp = async () => {
        const scheduledTime = new Date(night.clock.now()).toISOString();
        const { executionArn } = await night.runtime.ports.workflows.start({
          machine: 'backup',
          input: { scheduledTime },
        });
        return executionArn;
      };
      night.rds.fate = () => ({ minutes: 1, ends: 'failed' });
      await mustEnd(night, await backUp(), 'FAILED');
      night.rds.onEvent = (_, id) => {
        for (const key of ['wakeBackup', 'wakeRestore'])
          void night.invoke(key, { detail: { SourceIdentifier: id } }).catch(() => {});
      };
      await mustEnd(night, await backUp(), 'FAILED');
      night.rds.fate = () => ({ minutes: 1, ends: 'available' });
      await night.proveRecovery();
      await mustEnd(night, await backUp(), 'SUCCEEDED');
      const retain = async (scheduledTime: string) => {
        const { executionArn } = await night.runtime.ports.workflows.start({
          machine: 'retention',
          input: { scheduledTime },
        });
        return executionArn;
      };
      const restore = async (machine: string, input: object) => {
        const { executionArn } = await night.runtime.ports.workflows.start({ machine, input });
        return night.until(executionArn);
      };
      await night.invoke('watchRecovery', {});
      await night.invoke('beatStores', {});
      night.replicate();
      await night.invoke('watchRecovery', {});
      const verified = await restore('restore', { to: 'newest' });
      if (verified.status !== 'SUCCEEDED') throw new Error(verified.cause);
      const { id, digest } = verified.output as { id: string; digest: string };
      const promoting = await night.runtime.ports.workflows.start({
        machine: 'restore',
        input: { id, approve: digest },
      });
      // Nobody is deployed there who would write.
      await night.advance(10 * minute);
      await night.runtime.control.workflows.stop(promoting.executionArn, stopped);
      const drilled = await restore('restore-drill', {});
      if (drilled.status !== 'SUCCEEDED') throw new Error(drilled.cause);
      const broken = await night.runtime.ports.workflows.start({ machine: 'restore-drill', input: {} });
      await night.advance(minute / 2);
      await night.runtime.control.workflows.stop(broken.executionArn, stopped);
      await night.advance(5 * minute);
      night.rds.onEvent = () => {};
      await night.advance(15 * 1_440 * minute);
      night.replicate();
      await restore('restore-drill', {});
      await night.advance(1_440 * minute);
      await mustEnd(night, await backUp(), 'SUCCEEDED');
      await night.growOld('acme');
      await mustEnd(night, await retain('2026-11-24T10:30:00Z'), 'SUCCEEDED');
      await night.advance(44 * 1_440 * minute);
      await mustEnd(night, await retain('2027-01-07T10:30:00Z'), 'SUCCEEDED');
    },
  },
  {
    name: 'a release, one that comes while it is under way, and how its control plane is taken back',
    schedules: false,
    happens: async (night) => {
      const image = (name: string) => [name, `${resources.repository('ml-engine')}@sha256:${'d'.repeat(64)}`];
      const input = {
        commit: 'c'.repeat(40),
        images: Object.fromEntries(['backend-api', 'ml-engine', 'smoke'].map(image)),
        canaryTenant: 'canary',
      };
      const start = async (name: string) =>
        night.runtime.ports.workflows.start({ machine: 'release', name, input });
      await start('one');
      await night.settle();
      const second = await start('two');
      await mustEnd(night, second.executionArn, 'FAILED');
      const seen = await night.invoke('lookAtVersions', { releaseId: 'one' });
      await night.invoke('returnVersions', seen);
      await night.invoke('closeRelease', { releaseId: 'one', outcome: 'rolledBack', because: 'a test' });
    },
  },
];

/** Lives through every scenario and gives what each function asked of AWS. Throws when one goes otherwise. */
export async function recordRequests(): Promise<Recorded> {
  const recorded: Recorded = new Map();
  for (const { name, happens, ...options } of scenarios) {
    const night = await openDeployedNight(recorded, options);
    try {
      await happens(night);
      if (night.faults[0]) throw night.faults[0];
    } catch (error) {
      throw new Error(`in ${name}`, { cause: error });
    } finally {
      await night.close();
    }
  }
  return recorded;
}
