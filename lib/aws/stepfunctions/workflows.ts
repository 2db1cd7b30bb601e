import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  type ExecutionListItem,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  RedriveExecutionCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { withoutTokens } from '../../event-schemas/without-tokens.ts';
import type { ExecutionDetail, ExecutionSummary, HistoryEvent, Workflows } from '../../ports/workflows.ts';
import { type MachineNames, machineNames, type WorkflowLocation } from './machine-names.ts';
import { createMapRuns } from './map-runs.ts';
import { attemptsOf, explainWorkflowError } from './workflow-errors.ts';

/** Largest pages the service gives. */
const historyPage = 1_000;
const executionPage = 1_000;

/** Executions listed when the caller says no limit. */
const usualLimit = 10_000;

/** What the workflows are made of. */
export interface StepFunctionsOptions {
  readonly client: SFNClient;
  readonly location: WorkflowLocation;
}

function summaryOf(
  names: MachineNames,
  item: ExecutionListItem | DescribeExecutionOutput,
  redriveCount = item.redriveCount ?? 0,
): ExecutionSummary {
  return {
    executionArn: item.executionArn ?? '',
    machine: names.machineOf(item.stateMachineArn ?? ''),
    name: item.name ?? '',
    status: item.status ?? 'RUNNING',
    startDate: item.startDate?.toISOString() ?? '',
    ...(item.stopDate ? { stopDate: item.stopDate.toISOString() } : {}),
    redriveCount,
  };
}

const parsed = (text: string | undefined): unknown => (text === undefined ? undefined : JSON.parse(text));

function detailOf(names: MachineNames, found: DescribeExecutionOutput): ExecutionDetail {
  return {
    ...summaryOf(names, found),
    input: parsed(found.input) ?? {},
    ...(found.output === undefined ? {} : { output: parsed(found.output) }),
    ...(found.error === undefined ? {} : { error: found.error }),
    ...(found.cause === undefined ? {} : { cause: found.cause }),
    ...(found.redriveStatus ? { redriveStatus: found.redriveStatus } : {}),
    ...(found.redriveStatusReason ? { redriveStatusReason: found.redriveStatusReason } : {}),
  };
}

/**
 * Executions in Step Functions. Starts go through the machine's alias, so that a deploy can be taken back; the console and
 * the schedules use the same one. Histories come without task tokens. An execution may be named by `machine/name` too.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function createStepFunctionsWorkflows({ client, location }: StepFunctionsOptions): Workflows {
  const names = machineNames(location);

  const call = async <T>(action: string, resource: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explainWorkflowError(error, `states:${action}`, resource);
    }
  };

  async function machines(): Promise<string[]> {
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await call('ListStateMachines', 'the account', () =>
        client.send(new ListStateMachinesCommand({ ...(nextToken ? { nextToken } : {}) })),
      );
      for (const { name = '' } of page.stateMachines ?? [])
        if (names.isOurs(name)) found.push(names.keyOf(name));
      nextToken = page.nextToken;
    } while (nextToken);
    return found.sort();
  }

  async function describe(given: string): Promise<ExecutionDetail> {
    const executionArn = names.executionArn(given);
    return detailOf(
      names,
      await call('DescribeExecution', given, () =>
        client.send(new DescribeExecutionCommand({ executionArn })),
      ),
    );
  }

  /** A start that is repeated because its answer was lost finds its own execution: same name, same input. */
  async function own(error: unknown, executionArn: string, input: unknown): Promise<boolean> {
    if ((error as Error).name !== 'ExecutionAlreadyExists' || attemptsOf(error) < 2) return false;
    const there = await describe(executionArn);
    return JSON.stringify(there.input) === JSON.stringify(input);
  }

  async function start({ machine, name, input }: Parameters<Workflows['start']>[0]) {
    const stateMachineArn = names.aliasArn(machine);
    if (name !== undefined) names.checkName(name);
    try {
      const started = await client.send(
        new StartExecutionCommand({
          stateMachineArn,
          ...(name === undefined ? {} : { name }),
          input: JSON.stringify(input ?? {}),
        }),
      );
      return { executionArn: started.executionArn ?? '' };
    } catch (error) {
      const executionArn = names.executionArn(`${machine}/${name}`);
      if (name !== undefined && (await own(error, executionArn, input))) return { executionArn };
      throw explainWorkflowError(error, 'states:StartExecution', machine, name);
    }
  }

  async function listOf(
    machine: string,
    { status, limit = usualLimit }: Parameters<Workflows['list']>[0],
  ): Promise<ExecutionSummary[]> {
    const found: ExecutionSummary[] = [];
    let nextToken: string | undefined;
    do {
      const page = await call('ListExecutions', machine, () =>
        client.send(
          new ListExecutionsCommand({
            stateMachineArn: names.machineArn(machine),
            maxResults: Math.min(executionPage, limit - found.length),
            ...(status === undefined ? {} : { statusFilter: status }),
            ...(nextToken ? { nextToken } : {}),
          }),
        ),
      );
      for (const item of page.executions ?? []) found.push(summaryOf(names, item));
      nextToken = page.nextToken;
    } while (nextToken && found.length < limit);
    return found.slice(0, limit);
  }

  async function list(filter: Parameters<Workflows['list']>[0]): Promise<ExecutionSummary[]> {
    const asked = filter.machine === undefined ? await machines() : [filter.machine];
    const all = (await Promise.all(asked.map((machine) => listOf(machine, filter)))).flat();
    return all
      .sort((a, b) => (a.startDate < b.startDate ? 1 : a.startDate > b.startDate ? -1 : 0))
      .slice(0, filter.limit ?? usualLimit);
  }

  async function* history(given: string): AsyncGenerator<HistoryEvent> {
    let nextToken: string | undefined;
    do {
      const page = await call('GetExecutionHistory', given, () =>
        client.send(
          new GetExecutionHistoryCommand({
            executionArn: names.executionArn(given),
            maxResults: historyPage,
            includeExecutionData: true,
            ...(nextToken ? { nextToken } : {}),
          }),
        ),
      );
      for (const { id = 0, previousEventId = 0, timestamp, type = '', ...details } of page.events ?? []) {
        yield {
          id,
          previousEventId,
          timestamp: timestamp?.toISOString() ?? '',
          type,
          ...(withoutTokens(details) as Record<string, unknown>),
        } as HistoryEvent;
      }
      nextToken = page.nextToken;
    } while (nextToken);
  }

  return {
    machines,
    start,
    describe,
    list,
    history,
    redrive: async (given) => {
      const executionArn = names.executionArn(given);
      await call('RedriveExecution', given, () => client.send(new RedriveExecutionCommand({ executionArn })));
    },
    stop: async (given, { error, cause }) => {
      const executionArn = names.executionArn(given);
      await call('StopExecution', given, () =>
        client.send(new StopExecutionCommand({ executionArn, error, cause })),
      );
    },
    ...createMapRuns({ client, names }),
  };
}
