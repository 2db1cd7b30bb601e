import type { Clock } from '../../ports/clock.ts';
import type { GroupSize, SizedGroups } from '../../ports/serving/sized-groups.ts';
import { type GroupRule, isOurs, leastSizes } from '../../scaling/groups.ts';
import { type RecordPorts, readGroup, writeGroup } from './capacity-records.ts';

/** What became of a group. */
export interface GroupOutcome {
  readonly group: string;
  readonly before: number;
  readonly min: number;
  /** held: it is being changed by somebody else; foreign: somebody else set its least size, which stays. */
  readonly outcome: 'set' | 'kept' | 'held' | 'foreign';
}

/** Groups and what is kept of them. */
export interface GroupPorts extends RecordPorts {
  readonly groups: SizedGroups;
}

/** What is wanted of groups, until when and why. */
export interface GroupsWanted {
  /** Beyond the usual sizes, all groups together. */
  readonly beyond: number;
  readonly quiet: boolean;
  readonly expiresAt: string;
  readonly because: string;
}

async function sizesOf(
  groups: SizedGroups,
  rules: Readonly<Record<string, GroupRule>>,
): Promise<Map<string, GroupSize>> {
  const found = new Map<string, GroupSize>();
  for (const name of Object.keys(rules)) {
    const size = await groups.size(name);
    if (size) found.set(name, size);
  }
  return found;
}

/** Moves one group to its wanted least size. What will be set is on record before it is, so that nothing is raised without an end. */
export async function setGroup(
  ports: GroupPorts,
  { group, before, least, min }: { group: string; before: number; least: number; min: number },
  { expiresAt, because }: Pick<GroupsWanted, 'expiresAt' | 'because'>,
): Promise<GroupOutcome> {
  const record = await readGroup(ports, group);
  const ours = isOurs(before, least, record);
  if (before !== least && !ours) return { group, before, min: before, outcome: 'foreign' };
  if (min === least && before === least) return { group, before, min, outcome: 'kept' };
  // With what it still has: that stays ours until it is gone.
  const sizes = [before, least, min];
  if (min !== least)
    await writeGroup(ports, {
      group,
      low: Math.min(...sizes),
      high: Math.max(...sizes),
      expiresAt,
      because,
    });
  if (min === before) return { group, before, min, outcome: 'kept' };
  return { group, before, min, outcome: await ports.groups.setMin(group, min) };
}

/** Sets the least sizes of all groups; those that are not there are left out. Only what was raised by this is lowered again. */
export async function setGroups(
  ports: GroupPorts,
  rules: Readonly<Record<string, GroupRule>>,
  wanted: GroupsWanted,
): Promise<GroupOutcome[]> {
  const sizes = await sizesOf(ports.groups, rules);
  const largest = new Map([...sizes].map(([name, { max }]) => [name, max]));
  const outcomes: GroupOutcome[] = [];
  for (const [group, min] of leastSizes(rules, largest, wanted)) {
    const before = sizes.get(group)?.min ?? min;
    const least = rules[group]?.least ?? min;
    outcomes.push(await setGroup(ports, { group, before, least, min }, wanted));
  }
  return outcomes;
}

/** Gives groups back their usual least size where what was set has ended and nobody has renewed it. */
export async function endGroups(
  ports: GroupPorts & { readonly clock: Clock },
  rules: Readonly<Record<string, Pick<GroupRule, 'least'>>>,
): Promise<GroupOutcome[]> {
  const ended: GroupOutcome[] = [];
  for (const [group, { least }] of Object.entries(rules)) {
    const record = await readGroup(ports, group);
    if (!record || Date.parse(record.expiresAt) > ports.clock.now()) continue;
    const size = await ports.groups.size(group);
    if (!size || !isOurs(size.min, least, record)) continue;
    ended.push({ group, before: size.min, min: least, outcome: await ports.groups.setMin(group, least) });
  }
  return ended;
}
