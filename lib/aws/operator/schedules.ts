import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetScheduleCommand,
  type GetScheduleOutput,
  ListSchedulesCommand,
  type SchedulerClient,
  type ScheduleState,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { ScheduleSummary, Schedules } from '../../ports/schedules.ts';
import { errorName, explained } from '../errors/service-errors.ts';
import { liveAlias } from '../stepfunctions/machine-names.ts';
import { explainWorkflowError } from '../stepfunctions/workflow-errors.ts';

/** What one delivery's placeholders stand for. */
export interface Delivery {
  readonly scheduledTime: string;
  readonly scheduleArn: string;
  readonly executionId: string;
  readonly attempt: number;
}

/** Reading of expressions and filling in of inputs as EventBridge Scheduler does: the caller has it, for all targets. */
export interface ScheduleRules {
  parse(
    expression: string,
    options: { readonly timezone: string; readonly startDate?: Date; readonly endDate?: Date },
  ): { next(after: Date): Date | undefined; previous(before: Date): Date | undefined };
  fillInput(input: string, delivery: Delivery): unknown;
}

/** What the schedules are made of. */
export interface SchedulesOptions {
  readonly scheduler: SchedulerClient;
  readonly states: SFNClient;
  readonly functions: LambdaClient;
  readonly environment: string;
  readonly rules: ScheduleRules;
  readonly clock: Clock;
  readonly ids: IdSource;
}

function timesOf(found: GetScheduleOutput, { rules, clock }: SchedulesOptions) {
  const now = new Date(clock.now());
  const expression = found.ScheduleExpression ?? '';
  // The service counts a rate from when the schedule was made.
  const startDate = found.StartDate ?? (expression.startsWith('rate(') ? found.CreationDate : undefined);
  try {
    const occurrences = rules.parse(expression, {
      timezone: found.ScheduleExpressionTimezone ?? 'UTC',
      ...(startDate ? { startDate } : {}),
      ...(found.EndDate ? { endDate: found.EndDate } : {}),
    });
    const next = found.State === 'ENABLED' ? occurrences.next(now) : undefined;
    const previous = occurrences.previous(now);
    return {
      ...(next ? { next: next.toISOString() } : {}),
      ...(previous ? { previous: previous.toISOString() } : {}),
    };
  } catch (error) {
    // The service took an expression that Epsilon's parser does not know: it is listed, without times.
    if (error instanceof EpsilonError) return {};
    throw error;
  }
}

/** Starts what a schedule starts; an unqualified machine is started through its alias, as everything else is. */
async function deliver(found: GetScheduleOutput, input: unknown, options: SchedulesOptions): Promise<void> {
  const arn = found.Target?.Arn ?? '';
  const [, , service = '', , , kind = '', name = '', qualifier] = arn.split(':');
  if (service === 'states' && kind === 'stateMachine') {
    const stateMachineArn = qualifier === undefined ? `${arn}:${liveAlias}` : arn;
    const call = new StartExecutionCommand({
      stateMachineArn,
      name: `fired-${options.ids.ulid().toLowerCase()}`,
      input: JSON.stringify(input),
    });
    const action = 'states:StartExecution';
    await explained(
      action,
      stateMachineArn,
      () => options.states.send(call),
      (error) => explainWorkflowError(error, action, stateMachineArn),
    );
    return;
  }
  if (service === 'lambda' && kind === 'function') {
    const Payload = Buffer.from(JSON.stringify(input));
    const call = new InvokeCommand({ FunctionName: arn, InvocationType: 'Event', Payload });
    await explained('lambda:InvokeFunction', arn, () => options.functions.send(call));
    return;
  }
  throw new EpsilonError(
    'SCHEDULE_TARGET_UNKNOWN',
    `Schedule ${found.Name} starts ${arn || name}, which is neither a state machine nor a function; nothing was done.`,
  );
}

/** Switches a schedule; the service sets back what an update leaves out, so all of it is said again. */
async function setState(
  found: GetScheduleOutput,
  State: ScheduleState,
  scheduler: SchedulerClient,
): Promise<void> {
  if (found.State === State) return;
  const { Name, ScheduleExpression, Target, FlexibleTimeWindow } = found;
  if (!Name || !ScheduleExpression || !Target || !FlexibleTimeWindow)
    throw new EpsilonError(
      'AWS_ANSWER_UNKNOWN',
      `Schedule ${found.Arn} was described incompletely; nothing was done.`,
      { exitCode: exitCodes.backend },
    );
  const { GroupName, Description, ScheduleExpressionTimezone, StartDate, EndDate, KmsKeyArn } = found;
  const call = new UpdateScheduleCommand({
    Name,
    GroupName,
    Description,
    ScheduleExpression,
    ScheduleExpressionTimezone,
    StartDate,
    EndDate,
    KmsKeyArn,
    Target,
    FlexibleTimeWindow,
    ActionAfterCompletion: found.ActionAfterCompletion,
    State,
  });
  await explained('scheduler:UpdateSchedule', Name, () => scheduler.send(call));
}

/** The environment's schedules in EventBridge Scheduler. */
export function createSchedules(options: SchedulesOptions): Schedules {
  const { scheduler, environment } = options;
  const prefix = `epsilon-${environment}-`;
  async function names(): Promise<{ readonly Name: string; readonly GroupName?: string }[]> {
    const found: { Name: string; GroupName?: string }[] = [];
    let token: string | undefined;
    do {
      const call = new ListSchedulesCommand({ NamePrefix: prefix, ...(token ? { NextToken: token } : {}) });
      const page = await explained('scheduler:ListSchedules', `${prefix}*`, () => scheduler.send(call));
      for (const { Name = '', GroupName } of page.Schedules ?? [])
        found.push({ Name, ...(GroupName === undefined ? {} : { GroupName }) });
      token = page.NextToken;
    } while (token);
    return found.sort((a, b) => (a.Name < b.Name ? -1 : 1));
  }

  function summaryOf(found: GetScheduleOutput): ScheduleSummary {
    return {
      name: (found.Name ?? '').slice(prefix.length),
      expression: found.ScheduleExpression ?? '',
      timezone: found.ScheduleExpressionTimezone ?? 'UTC',
      enabled: found.State === 'ENABLED',
      paused: found.State === 'DISABLED',
      ...timesOf(found, options),
    };
  }

  async function find(name: string): Promise<GetScheduleOutput> {
    const all = await names();
    const named = all.find(({ Name }) => Name === `${prefix}${name}`);
    if (!named) throw unknown(name, all);
    return explained(
      'scheduler:GetSchedule',
      named.Name,
      () => scheduler.send(new GetScheduleCommand(named)),
      (error) => (errorName(error) === 'ResourceNotFoundException' ? unknown(name, all) : error),
    );
  }

  function unknown(name: string, all: readonly { readonly Name: string }[]): NotFound {
    const known = all.map(({ Name }) => Name.slice(prefix.length)).join(', ');
    return new NotFound(
      'SCHEDULE_NOT_FOUND',
      `There is no schedule "${name}" in ${environment} (${known || 'it has none'}).`,
    );
  }

  return {
    list: async () => {
      const found: ScheduleSummary[] = [];
      for (const named of await names()) {
        const call = new GetScheduleCommand(named);
        found.push(
          summaryOf(await explained('scheduler:GetSchedule', named.Name, () => scheduler.send(call))),
        );
      }
      return found;
    },
    pause: async (name) => setState(await find(name), 'DISABLED', scheduler),
    resume: async (name) => setState(await find(name), 'ENABLED', scheduler),
    fire: async (name, scheduledTime) => {
      const found = await find(name);
      const input = options.rules.fillInput(found.Target?.Input ?? '{}', {
        scheduledTime,
        scheduleArn: found.Arn ?? '',
        executionId: options.ids.ulid(),
        attempt: 1,
      });
      await deliver(found, input, options);
    },
  };
}
