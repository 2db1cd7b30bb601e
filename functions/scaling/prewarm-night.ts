import { z } from 'zod';
import { prewarmOf } from '../../lib/capacity/prewarm.ts';
import { awsObjects, awsQueueVcpus, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { nightFacts } from '../../lib/operations/nights/plan-due.ts';
import { setGroup } from '../../lib/operations/scaling/set-groups.ts';
import type { ScalingConfig } from '../../lib/scaling/configuration.ts';
import { logicalDateOf } from '../../lib/training/nights/logical-date.ts';

/** The schedule's event: when it fires, and how much later the night begins. */
const input = z.object({
  scheduledTime: z.iso.datetime(),
  minutesAhead: z.int().min(0).max(120),
});

const aws = [awsStores, awsQueueVcpus, awsObjects] as const;

type Ports = Wired<typeof aws>;

/** Minutes of the night after which what was kept ready ends: by then the queue itself asks for it. */
const heldMinutes = 20;

async function keepReady(
  { queueVcpus, objects, config }: Ports,
  wanted: ReadonlyMap<string, number>,
  { expiresAt, because }: { readonly expiresAt: string; readonly because: string },
) {
  const outcomes = [];
  for (const [queue, vcpus] of wanted) {
    const group = queue.replace('/', '-');
    const size = await queueVcpus.size(group);
    // What is not Batch's has no least size of ours.
    if (!size) continue;
    const move = { group, before: size.min, least: 0, min: Math.min(vcpus, size.max) };
    outcomes.push(await setGroup({ objects, config, groups: queueVcpus }, move, { expiresAt, because }));
  }
  return outcomes;
}

/** Has instances ready before the night where tenants would be late only because the first jobs wait for theirs. */
export function createPrewarmNight(ports: Ports) {
  const { tenants, runs, config, log } = ports;
  return async ({ scheduledTime, minutesAhead }: z.output<typeof input>) => {
    const { scaling } = config;
    if (scaling.mode === 'off') return { outcome: 'off' };
    const beginsAt = Date.parse(scheduledTime) + minutesAhead * 60_000;
    const logicalDate = logicalDateOf(new Date(beginsAt).toISOString());
    const { facts } = await nightFacts({ tenants, runs, config }, { logicalDate, now: beginsAt });
    const { saved, vcpus } = prewarmOf(facts, scaling.nodeStartSeconds);
    const because =
      saved.length === 0
        ? 'nobody is late only because instances have to start'
        : `${saved.length} tenants would be late only because the first instances take ${scaling.nodeStartSeconds} seconds to start`;
    const expiresAt = new Date(beginsAt + heldMinutes * 60_000).toISOString();
    const queues = applies(scaling) ? await keepReady(ports, vcpus, { expiresAt, because }) : [];
    log.info('night prewarmed', { because, vcpus: Object.fromEntries(vcpus), queues });
    return {
      outcome: saved.length === 0 ? 'kept' : applies(scaling) ? 'set' : 'decided',
      because,
      vcpus: Object.fromEntries(vcpus),
      queues,
      expiresAt,
    };
  };
}

const applies = ({ mode }: ScalingConfig) => mode === 'apply';

export const handler = defineHandler({ name: 'prewarmNight', input, aws, create: createPrewarmNight });
