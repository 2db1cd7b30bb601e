import type { Ports } from '../../ports/ports.ts';
import { requireRelease } from './change-release.ts';

/** A machine whose alias a deploy moves: the versions before and after. */
export interface VersionMove {
  readonly machine: string;
  readonly before: string;
  readonly after: string;
}

/** Machines that a release is judged by: the others follow them, and are returned with them. */
const judgedMachines = [
  'tenant-model-training',
  'nightly-training',
  'data-quality-check',
  'autoscaling',
] as const;

/** The machine that the canary tenant is trained by. */
const canaryMachine = 'tenant-model-training';

async function movesNow({ versions }: Pick<Ports, 'versions'>): Promise<VersionMove[]> {
  const found: VersionMove[] = [];
  for (const machine of judgedMachines) {
    const routed = await versions.current(machine);
    const [before, after] = routed;
    if (before && after) found.push({ machine, before: before.versionArn, after: after.versionArn });
  }
  return found;
}

/** Which machines' aliases are split, the canary's new version among them, and whether the deploy has been answered. */
export async function lookAtVersions(ports: Pick<Ports, 'releases' | 'versions'>, releaseId: string) {
  const { acts } = await requireRelease(ports, releaseId);
  const deploy = acts.findLast(({ kind }) => kind === 'deploy');
  const moves = await movesNow(ports);
  return {
    moves,
    canary: moves.find(({ machine }) => machine === canaryMachine)?.after ?? '',
    over: deploy?.answeredAt !== undefined,
  };
}

/** Returns what is split now, and what was when it was looked at and still starts the version of after. */
export async function returnVersions(
  ports: Pick<Ports, 'versions'>,
  seen: readonly VersionMove[],
): Promise<string[]> {
  const returned: string[] = [];
  const all = new Map([...seen, ...(await movesNow(ports))].map((move) => [move.machine, move]));
  for (const { machine, before, after } of all.values()) {
    const routed = await ports.versions.current(machine);
    if (!routed.some(({ versionArn }) => versionArn === after)) continue;
    await ports.versions.route(machine, before);
    returned.push(machine);
  }
  return returned;
}
