import { functionIds } from '../../../lib/config/logical-ids.ts';
import { trainingAlarms } from '../alarms/training.ts';
import { alarmsOf, type Metric, machineMetric, ownMetric, sumAlarms, sumOf, type Watch } from './alarm.ts';
import { type Declared, eventFunctions, type Resources, ref, triggersOf } from './declared.ts';
import { queueIds } from './queues.ts';

type Watches = Record<string, Watch>;

function functionMetrics(keys: readonly string[], name: string): Record<string, Metric> {
  return Object.fromEntries(
    keys.map((key) => [
      key,
      { namespace: 'AWS/Lambda', name, dimensions: { FunctionName: ref(functionIds(key).lambda) } },
    ]),
  );
}

function ofFunctions(declared: Declared): Watches {
  return {
    HandlerFaultsAlarm: {
      description:
        'A function met a fault of ours (no outcome that a machine knows); during a deploy this moves the aliases back.',
      watched: ownMetric(declared, 'HandlerFaults'),
      period: 60,
    },
    ...sumAlarms('EventFunctionErrors', functionMetrics(eventFunctions(declared), 'Errors'), {
      description:
        'Functions that events invoke fail again and again; during a deploy this moves the aliases back.',
      period: 300,
      threshold: 3,
    }),
    ...sumAlarms('FunctionThrottles', functionMetrics(Object.keys(declared.functions), 'Throttles'), {
      description: 'Lambda refused calls; look at the concurrency quota.',
      period: 300,
      periods: { of: 3, over: 2 },
    }),
  };
}

/** Every failure of what a rule or schedule starts, since nobody else waits for it. */
function failedAlarm(key: string, id: string): Watches {
  const of = {
    failed: machineMetric(id, 'ExecutionsFailed'),
    timedOut: machineMetric(id, 'ExecutionsTimedOut'),
    aborted: machineMetric(id, 'ExecutionsAborted'),
  };
  return {
    [`${id}FailedAlarm`]: {
      description: `An execution of ${key} failed, ran out of time or was stopped.`,
      watched: { expression: sumOf(Object.keys(of)), of },
      period: 300,
    },
  };
}

/** Many failures at once; a single one concerns only the operator who started the execution. */
function failingAlarm(key: string, id: string): Watches {
  return {
    [`${id}FailingAlarm`]: {
      description: `Several executions of ${key} failed within five minutes; during a deploy this moves the aliases back.`,
      watched: machineMetric(id, 'ExecutionsFailed'),
      period: 300,
      threshold: 5,
    },
  };
}

function ofMachines(declared: Declared): Watches {
  const started = triggersOf(declared).filter(({ kind }) => kind === 'machine');
  return Object.fromEntries(
    Object.entries(declared.machines).flatMap(([key, { id }]) => {
      const by = started.filter((trigger) => trigger.key === key).map((trigger) => trigger.by);
      return [
        ...(by.length > 0 ? Object.entries(failedAlarm(key, id)) : []),
        ...(by.includes('schedule') ? [] : Object.entries(failingAlarm(key, id))),
      ];
    }),
  );
}

const queueDescriptions: Readonly<Record<(typeof queueIds)[number], string>> = {
  EventsDeadLetters: 'Events or schedules could not be delivered; they wait in the queue for two weeks.',
  FailedInvocations: 'A function gave an event up; it waits in the queue with the answer for two weeks.',
};

function ofQueues(): Watches {
  return Object.fromEntries(
    queueIds.map((id) => [
      `${id}Alarm`,
      {
        description: queueDescriptions[id],
        watched: {
          namespace: 'AWS/SQS',
          name: 'ApproximateNumberOfMessagesVisible',
          dimensions: { QueueName: { 'Fn::GetAtt': [id, 'QueueName'] } },
        },
        statistic: 'Maximum',
        period: 60,
      } as const,
    ]),
  );
}

function ofTable(): Watches {
  const metric = (name: string) => ({
    namespace: 'AWS/DynamoDB',
    name,
    dimensions: { TableName: ref('ControlTable') },
  });
  return sumAlarms(
    'TableThrottles',
    { reads: metric('ReadThrottleEvents'), writes: metric('WriteThrottleEvents') },
    {
      description: 'DynamoDB refused calls on the control table.',
      period: 300,
      periods: { of: 3, over: 2 },
    },
  );
}

/**
 * Alarms. Every function, machine and queue is watched as soon as it is declared; what only one area knows
 * (a target, a pass that must not stop) is in alarms/<area>.ts.
 */
export function alarms(declared: Declared): Resources {
  return alarmsOf(declared, {
    ...trainingAlarms(declared),
    ...ofMachines(declared),
    ...ofFunctions(declared),
    ...ofTable(),
    ...ofQueues(),
  });
}

/** Logical ids of the alarms that stop a deploy and move the aliases back: those that new code rings. */
export function rollbackAlarms(all: Resources): string[] {
  return Object.keys(all).filter((id) =>
    /^HandlerFaultsAlarm$|^EventFunctionErrors\d*Alarm$|FailingAlarm$/.test(id),
  );
}
