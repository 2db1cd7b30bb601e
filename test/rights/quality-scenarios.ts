import { contractSchema } from '../../lib/quality/datasets/contract.ts';
import { resources } from './requests.ts';
import { minute, mustEnd, questionOf, type Scenario } from './scenario.ts';

/** Stories of data quality. */
export const qualityScenarios: readonly Scenario[] = [
  {
    name: 'a tenant whose last data was found bad',
    happens: async (night) => {
      await night.add('acme');
      await night.foundBad('acme');
      await night.until(await night.train('acme'));
    },
  },
  {
    name: 'an hourly check that finds whole and broken data, and one that finds far too much of it broken',
    schedules: false,
    happens: async (night) => {
      const check = async () => {
        const { executionArn } = await night.runtime.ports.workflows.start({
          machine: 'data-quality-check',
          input: { scheduledTime: new Date(night.clock.now()).toISOString() },
        });
        await mustEnd(night, executionArn, 'SUCCEEDED');
      };
      await night.add('acme', 'beta');
      night.upload('acme', 12);
      night.upload('beta', 3);
      await check();
      const others = Array.from({ length: 12 }, (_, index) => `tenant-${index}`);
      await night.add(...others);
      for (const tenantId of others) night.upload(tenantId, 3);
      await night.advance(60 * minute);
      await check();
    },
  },
  {
    name: 'hourly checks of a dataset: jobs look at it with credentials of its tenant, and again when a part was replaced',
    schedules: false,
    happens: async (night) => {
      await night.add('acme');
      night.upload('acme', 12);
      const location = `s3://${resources.bucket}/acme/orders/`;
      const dataset = contractSchema.parse({ location, format: 'csv', partitioning: 'hour' });
      await night.runtime.control.tenants.update({ tenantId: 'acme', changes: { dataset } });
      const write = (hour: string, rows: string) =>
        night.write(`${location}date=2026-11-23/hour=${hour}/a.csv`, `id,country\n${rows}`);
      const check = async () => {
        const { executionArn } = await night.runtime.ports.workflows.start({
          machine: 'data-quality-check',
          input: { trigger: 'manual' },
        });
        await night.advance(minute / 2);
        const [job] = night.batch.live();
        const { jobId = '', container } = job ?? {};
        const runId = container?.environment?.find(({ name }) => name === 'EPSILON_RUN_ID')?.value;
        const { body, ...question } = questionOf({ runId: runId ?? '', stage: 'profile', attempt: 1, jobId });
        const asked = { ...JSON.parse(body), tenantId: 'acme' };
        const lent = await night.invoke('lendCredentials', { ...question, body: JSON.stringify(asked) });
        if ((lent as { statusCode: number }).statusCode !== 200) throw new Error(JSON.stringify(lent));
        await mustEnd(night, executionArn, 'SUCCEEDED');
      };
      night.batch.fate = () => ({ seconds: 60 });
      for (const hour of ['22', '23']) write(hour, '1,DE\n');
      await check();
      write('22', '1,DE\n2,FR\n');
      await night.advance(minute);
      await check();
    },
  },
  {
    name: 'a night whose tenant is new: its data is looked at first',
    variables: { EPSILON_QUALITY_GATE: 'required' },
    happens: async (night) => {
      await night.add('acme');
      night.upload('acme', 12);
      await mustEnd(night, await night.fire(), 'SUCCEEDED');
    },
  },
];
