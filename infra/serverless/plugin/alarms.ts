import { functionIds } from '../../../lib/config/logical-ids.ts';
import { awsAlerts } from '../../../lib/monitoring/aws.ts';
import { backupAlarms } from '../alarms/backup.ts';
import { trainingAlarms } from '../alarms/training.ts';
import { alarmsOf, type Metric, machineMetric, ownMetric, sumAlarms, sumOf, type Watch } from './alarm.ts';
import { controlPlaneAlarms, saidOf } from './catalogued.ts';
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
    ...sumAlarms(
      'EventFunctionErrors',
      functionMetrics(eventFunctions(declared), 'Errors'),
      saidOf(awsAlerts.EventFunctionErrors),
    ),
    ...sumAlarms(
      'FunctionThrottles',
      functionMetrics(Object.keys(declared.functions), 'Throttles'),
      saidOf(awsAlerts.FunctionThrottles),
    ),
  };
}

/** Every failure of what a rule or schedule starts, since nobody else waits for it. */
function failedAlarm(key: string, id: string): Watches {
  const of = {
    failed: machineMetric(id, 'ExecutionsFailed'),
    timedOut: machineMetric(id, 'ExecutionsTimedOut'),
    aborted: machineMetric(id, 'ExecutionsAborted'),
  };
  const watched = { expression: sumOf(Object.keys(of)), of };
  return { [`${id}FailedAlarm`]: { ...saidOf(awsAlerts.Failed, key), watched } };
}

/** Many failures at once; a single one concerns only the operator who started the execution. */
function failingAlarm(key: string, id: string): Watches {
  const watched = machineMetric(id, 'ExecutionsFailed');
  return { [`${id}FailingAlarm`]: { ...saidOf(awsAlerts.Failing, key), watched } };
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

function ofQueues(): Watches {
  return Object.fromEntries(
    queueIds.map((id) => [
      `${id}Alarm`,
      {
        ...saidOf(awsAlerts[id]),
        watched: {
          namespace: 'AWS/SQS',
          name: 'ApproximateNumberOfMessagesVisible',
          dimensions: { QueueName: { 'Fn::GetAtt': [id, 'QueueName'] } },
        },
        statistic: 'Maximum',
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
    saidOf(awsAlerts.TableThrottles),
  );
}

/** What infra/provision.sh has measured last, and how long ago. */
function ofProvisioning(declared: Declared): Watches {
  const statistic = 'Maximum';
  return {
    ProvisioningSlowAlarm: {
      ...saidOf(awsAlerts.ProvisioningSlow),
      watched: ownMetric(declared, 'ProvisioningDuration'),
      statistic,
    },
    ProvisioningUnmeasuredAlarm: {
      ...saidOf(awsAlerts.ProvisioningUnmeasured),
      watched: ownMetric(declared, 'ProvisioningAge'),
      statistic,
    },
  };
}

/**
 * Alarms, from the catalogue of alerts (lib/monitoring). Every function, machine and queue is watched as soon as it is declared;
 * what only one area knows is in alarms/<area>.ts.
 */
export function alarms(declared: Declared): Resources {
  return alarmsOf(declared, {
    ...(declared.idle ? {} : { ...controlPlaneAlarms(declared), ...trainingAlarms(declared) }),
    ...backupAlarms(declared),
    ...ofMachines(declared),
    ...ofFunctions(declared),
    ...ofTable(),
    ...ofQueues(),
    ...(declared.idle ? {} : ofProvisioning(declared)),
  });
}

/** Logical ids of the alarms that stop a deploy and move the aliases back: those that new code rings. */
export function rollbackAlarms(all: Resources): string[] {
  return Object.keys(all).filter((id) =>
    /^HandlerFaultsAlarm$|^EventFunctionErrors\d*Alarm$|FailingAlarm$/.test(id),
  );
}
