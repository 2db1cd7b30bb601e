import { type Attempt, terminalStatuses } from '../training/run.ts';
import { type JobStage, jobKinds } from '../training/stages.ts';
import { hourOfType, type NodeShape, shapeOf } from './nodes.ts';
import { type InstancePrices, instancePrices, listedSpotShare, priceList, priceOf } from './prices.ts';

/** The instance that jobs are priced by whose own is not known: what the training groups are made of. */
const node = { type: 'c5.4xlarge', vcpus: 16, memoryMiB: 32 * 1024 } as const;

/** Types that the training groups are made of (infra/config/infrastructure), of which prices on spot are looked up. */
export const trainingTypes = [
  'c5.4xlarge',
  'c5a.4xlarge',
  'c6i.4xlarge',
  'm5.4xlarge',
  'm6i.4xlarge',
] as const;

/** GiB of a training node's disk (infra/pulumi/launch-template.ts). */
const diskGiB = 100;

/** What one attempt's job used and costs. */
export interface AttemptCost {
  readonly runId: string;
  readonly tenantId: string;
  readonly stage: JobStage;
  readonly attempt: number;
  readonly spot: boolean;
  /** Its job ran on this machine; the price is that of the same on AWS. */
  readonly equivalent: boolean;
  /** Its work counts: the stage succeeded with it, or built on what it had saved. */
  readonly useful: boolean;
  readonly seconds: number;
  readonly vcpuSeconds: number;
  readonly gibSeconds: number;
  /** US dollars. */
  readonly usd: number;
  /** What the same seconds cost on-demand. */
  readonly onDemandUsd: number;
  /** Dollars on spot whose price of type and day is not listed, so that it is assumed. */
  readonly assumedUsd: number;
  /** Its share of the node's disk while it ran, and what it left in the object store since then, US dollars. */
  readonly storageUsd: number;
  /** Bytes that it left; undefined where nobody said so. */
  readonly storedBytes: number | undefined;
}

const dayMs = 86_400_000;

/** Seconds that a job held its place: from its start to its end, or until now. A job that never started held none. */
function secondsOf({ startedAt, finishedAt, status }: Attempt, now: number): number {
  if (startedAt === undefined) return 0;
  const over = finishedAt !== undefined || terminalStatuses.has(status);
  const end = finishedAt === undefined ? (over ? Date.parse(startedAt) : now) : Date.parse(finishedAt);
  const seconds = (end - Date.parse(startedAt)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}

interface PricedNode extends NodeShape {
  readonly type: string;
  /** US dollars, on-demand. */
  readonly hour: number;
}

/** The node that an attempt is priced by: the one it ran on where that is known and has a price. */
function nodeOf({ place }: Attempt, prices: InstancePrices): PricedNode {
  const type = place?.instanceType ?? node.type;
  const [shape, hour] = [shapeOf(type), hourOfType(type, prices)];
  return shape && hour !== undefined
    ? { type, ...shape, hour }
    : { ...node, hour: priceOf(prices.instanceHour, node.type) };
}

/** Parts of a job's time by the day (UTC): day and part. */
function daysOf(startedAt: string, seconds: number): readonly (readonly [string, number])[] {
  const from = Date.parse(startedAt);
  const until = from + seconds * 1000;
  const days: [string, number][] = [];
  for (let at = from; at < until; ) {
    const next = Math.min(until, (Math.floor(at / dayMs) + 1) * dayMs);
    days.push([new Date(at).toISOString().slice(0, 10), (next - at) / (until - from)]);
    at = next;
  }
  return days;
}

/** What an attempt pays of its price on-demand, and of that the part whose price is assumed. */
function spotOf(attempt: Attempt, { type }: PricedNode, seconds: number, prices: InstancePrices) {
  let [share, assumed] = [0, 0];
  for (const [day, part] of daysOf(attempt.startedAt ?? '', seconds)) {
    const listed = listedSpotShare(type, day, attempt.place?.zone, prices);
    share += part * (listed ?? priceList.spotShare);
    if (listed === undefined) assumed += part * priceList.spotShare;
  }
  return { share, assumed };
}

/** Bytes that an attempt has left by its own account; undefined where it says nothing, or nothing that can be. */
function storedBytesOf({ result }: Attempt): number | undefined {
  const bytes = result?.['outputBytes'];
  return typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}

/** US dollars of objects since they were written. */
function objectsUsd(bytes: number, finishedAt: string | undefined, now: number): number {
  const ms = Math.max(0, now - Date.parse(finishedAt ?? ''));
  const months = ms / 3_600_000 / priceList.hoursPerMonth;
  return Number.isFinite(months) ? (bytes / 2 ** 30) * months * priceList.month.objectGiB : 0;
}

/** What an attempt costs: its larger share of its node, cpu or memory, for as long as it ran; and storage. */
export function costOfAttempt(attempt: Attempt, now: number, prices = instancePrices): AttemptCost {
  const { runId, tenantId, stage, backend, status, finishedAt } = attempt;
  const { cpu, memoryMiB } = attempt.resources ?? jobKinds[stage].resources;
  const seconds = secondsOf(attempt, now);
  const on = nodeOf(attempt, prices);
  // A job that asks for more than this node has cannot have run on it alone.
  const share = Math.max(cpu / on.vcpus, memoryMiB / on.memoryMiB);
  const hours = seconds / 3600;
  const onDemandUsd = hours * share * on.hour;
  const spot = attempt.capacity === 'spot';
  const paid =
    spot && seconds > 0 ? spotOf(attempt, on, seconds, prices) : { share: spot ? 0 : 1, assumed: 0 };
  const storedBytes = storedBytesOf(attempt);
  const disk = (hours / priceList.hoursPerMonth) * Math.min(1, share) * diskGiB * priceList.month.nodeGiB;
  return {
    runId,
    tenantId,
    stage,
    attempt: attempt.attempt,
    spot,
    equivalent: backend === 'local',
    useful:
      !terminalStatuses.has(status) ||
      status === 'succeeded' ||
      (status === 'preempted' && jobKinds[stage].checkpoints === true),
    seconds,
    vcpuSeconds: seconds * cpu,
    gibSeconds: (seconds * memoryMiB) / 1024,
    usd: onDemandUsd * paid.share,
    onDemandUsd,
    assumedUsd: onDemandUsd * paid.assumed,
    storageUsd: disk + objectsUsd(storedBytes ?? 0, finishedAt, now),
    storedBytes,
  };
}
