import { consumerKey } from '../../backup/cloud/consumers.ts';
import type { RestoreRecord } from '../../backup/cloud/records.ts';
import type { Verdict } from '../../backup/cloud/resources.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Step } from './hold-step.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'consumers' | 'tables' | 'replica'>;

/** Consumers that are asked side by side, and those that a reason names. */
const atOnce = 8;
const named = 5;

/** Consumer records that are read: more than there are consumers. */
const most = 200;

/** Why a consumer does not work on the promoted records; undefined when it says that it does. */
async function behind({ consumers }: Needed, name: string, epoch: number): Promise<string | undefined> {
  try {
    const report = await required(consumers).report(name, epoch);
    if (!report) return `${name} is not deployed`;
    return report.epoch === epoch ? undefined : `${name} is at epoch ${report.epoch ?? 'none'}`;
  } catch (error) {
    return `${name}: ${(error as Error).message}`;
  }
}

/** Writes that consumers said they made, as they are found in the stores. */
async function missingWrites({ tables }: Needed, { target, epoch }: RestoreRecord, names: readonly string[]) {
  const written = await required(tables).there.stores(target.table).recoveryRecords.newest('consumer', most);
  const there = new Set(written.filter((one) => one.epoch === epoch && one.bucket === target.bucket));
  const found = new Set([...there].map(({ id }) => id));
  return names.flatMap((name) =>
    found.has(name) ? [] : [`${name} has written nothing into ${target.table}`],
  );
}

/** Whether an object was written into the bucket after the promotion. */
async function bucketIsSilent({ replica, consumers }: Needed, { target, epoch }: RestoreRecord) {
  const { objects } = required(replica);
  for (const name of required(consumers).names) {
    const uri = `s3://${target.bucket}/${consumerKey(name)}`;
    if (!(await objects.head(uri))) continue;
    const { epoch: found } = JSON.parse(new TextDecoder().decode(await objects.get(uri))) as {
      epoch?: number;
    };
    if (found === epoch) return [];
  }
  return [`no consumer has written into ${target.bucket}`];
}

/**
 * What a promotion waits for: every consumer says that it works on the promoted records, and a write of each is found in them. Who is not
 * there yet is waited for.
 */
export function consumersStep(ports: Needed, record: RestoreRecord): Step {
  return {
    resource: `${record.target.region}/consumers/${record.id}`,
    look: async (): Promise<Verdict> => {
      const { names } = required(ports.consumers);
      const reasons: string[] = [];
      await inParallel([...names], atOnce, async (name) => {
        const why = await behind(ports, name, record.epoch ?? 0);
        if (why !== undefined) reasons.push(why);
      });
      if (reasons.length === 0)
        reasons.push(
          ...(await missingWrites(ports, record, names)),
          ...(await bucketIsSilent(ports, record)),
        );
      if (reasons.length === 0) return { state: 'ready' };
      const first = reasons.sort().slice(0, named).join('; ');
      return { state: 'waiting', because: `${reasons.length} of ${names.length} consumers: ${first}` };
    },
    begin: async () => {},
  };
}
