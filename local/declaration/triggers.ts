import { type Resolve, resolveIntrinsics } from '../asl/definition/resolve-intrinsics.ts';
import { compilePattern } from '../bus/pattern.ts';
import { checkTargetInput } from '../bus/target-input.ts';
import { parseSchedule } from '../schedule/expression.ts';
import { fillInput } from '../schedule/schedule-input.ts';
import type { RetryPolicy, RuleTarget, ServiceRule, ServiceSchedule, TargetInput } from './declarations.ts';
import type { Faults } from './faults.ts';
import { isTree, logicalIdIn, type Names, resolveTarget } from './names.ts';

type Tree = { readonly [key: string]: unknown };

/** A declared resource: its logical id, its properties, and where it stands. */
export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly properties: Tree;
  /** `file, resources.<id>`. */
  readonly place: string;
}

/** What reading a trigger needs. */
export interface TriggerContext {
  readonly names: Names;
  readonly faults: Faults;
  readonly resolve: Resolve;
  /** Names of everything `resources` declares, its parameters included. */
  readonly declared: ReadonlySet<string>;
}

const tree = (value: unknown): Tree => (isTree(value) ? value : {});

/** Limits of AWS, which are its defaults too: a day, and 185 tries after the first. */
function retryOf(value: unknown, place: string, faults: Faults): RetryPolicy {
  const read = (key: string, low: number, high: number) => {
    const given = tree(value)[key] ?? high;
    if (typeof given === 'number' && Number.isInteger(given) && given >= low && given <= high) return given;
    faults.add(`${place}.RetryPolicy`, `${key} must be a whole number from ${low} to ${high}`);
    return high;
  };
  return {
    maximumEventAgeSeconds: read('MaximumEventAgeInSeconds', 60, 86_400),
    maximumRetryAttempts: read('MaximumRetryAttempts', 0, 185),
  };
}

function dateOf(properties: Tree, key: string, place: string, faults: Faults): Date | undefined {
  const given = properties[key];
  if (given === undefined) return undefined;
  const date = new Date(String(given));
  if (typeof given === 'string' && !Number.isNaN(date.getTime())) return date;
  faults.add(place, `${key} is not an instant such as 2026-11-24T00:00:00Z`);
  return undefined;
}

function textOf(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

/** Reads an `AWS::Scheduler::Schedule`; undefined when a fault was noted that leaves nothing to run. */
export function scheduleOf(
  { id, properties, place }: Resource,
  { names, faults }: TriggerContext,
): ServiceSchedule | undefined {
  const declared = tree(properties['Target']);
  const target = resolveTarget(declared['Arn'], names);
  if (!target) {
    faults.add(place, 'its target is neither a function nor a state machine of this service');
    return undefined;
  }
  const startDate = dateOf(properties, 'StartDate', place, faults);
  const endDate = dateOf(properties, 'EndDate', place, faults);
  const name = textOf(properties['Name'], id);
  const schedule: ServiceSchedule = {
    name: name.startsWith(names.prefix) ? name.slice(names.prefix.length) : name,
    expression: textOf(properties['ScheduleExpression'], ''),
    timezone: textOf(properties['ScheduleExpressionTimezone'], 'UTC'),
    // YAML reads a bare ON or OFF as text, so only the two words of AWS count.
    enabled: properties['State'] !== 'DISABLED',
    input: textOf(declared['Input'], '{}'),
    target,
    ...retryOf(declared['RetryPolicy'], place, faults),
    ...(startDate ? { startDate } : {}),
    ...(endDate ? { endDate } : {}),
  };
  checkState(properties, place, faults);
  faults.check(place, () => parseSchedule(schedule.expression, schedule));
  try {
    fillInput(schedule.input, { scheduledTime: '', scheduleArn: '', executionId: '', attempt: 1 });
  } catch (error) {
    faults.add(place, `its Input is not JSON (${(error as Error).message})`);
  }
  return schedule;
}

function checkState(properties: Tree, place: string, faults: Faults): void {
  const state = properties['State'] ?? 'ENABLED';
  if (state !== 'ENABLED' && state !== 'DISABLED')
    faults.add(place, `State is ENABLED or DISABLED, not ${JSON.stringify(state)}`);
}

function parseTargetInput(target: Tree): TargetInput {
  const { Input: input, InputPath: inputPath } = target;
  const transformer = target['InputTransformer'];
  return {
    ...(typeof input === 'string' ? { input } : {}),
    ...(typeof inputPath === 'string' ? { inputPath } : {}),
    ...(isTree(transformer)
      ? {
          transformer: {
            paths: tree(transformer['InputPathsMap']) as Readonly<Record<string, string>>,
            template: textOf(transformer['InputTemplate'], ''),
          },
        }
      : {}),
  };
}

function ruleTargetOf(value: unknown, place: string, context: TriggerContext): RuleTarget | undefined {
  const declared = tree(value);
  const target = resolveTarget(declared['Arn'], context.names);
  if (!target) {
    const id = logicalIdIn(declared['Arn']);
    // Queues, topics and log groups exist only on AWS; a name that nothing has is a mistake.
    if (id !== undefined && !context.declared.has(id))
      context.faults.add(place, `there is no function, state machine or resource "${id}"`);
    return undefined;
  }
  const input = parseTargetInput(declared);
  context.faults.check(place, () => checkTargetInput(input));
  return { ...target, ...retryOf(declared['RetryPolicy'], place, context.faults), ...input };
}

/** Reads an `AWS::Events::Rule`; undefined when nothing of it runs here. */
export function ruleOf(
  { id, properties, place }: Resource,
  context: TriggerContext,
): ServiceRule | undefined {
  const { faults, resolve } = context;
  const given = Array.isArray(properties['Targets']) ? (properties['Targets'] as unknown[]) : [];
  const targets = given.flatMap(
    (each, index) => ruleTargetOf(each, `${place}.Targets[${index}]`, context) ?? [],
  );
  if (targets.length === 0) return undefined;
  if (properties['EventPattern'] === undefined) {
    faults.add(place, 'it has no EventPattern; what happens at a time is an AWS::Scheduler::Schedule');
    return undefined;
  }
  checkState(properties, place, faults);
  // What only an account knows (a queue's ARN) is a name here, which no event of this host carries.
  const standIn: Resolve = (intrinsic) => {
    const id = logicalIdIn(intrinsic);
    return resolve(intrinsic) ?? (id !== undefined && context.declared.has(id) ? `local:${id}` : undefined);
  };
  const pattern = resolveIntrinsics(properties['EventPattern'], standIn);
  faults.check(place, () => compilePattern(pattern, 'EventPattern'));
  return { name: id, pattern, enabled: properties['State'] !== 'DISABLED', targets };
}
