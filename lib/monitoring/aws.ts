import type { Alerts, OfAws } from './alert.ts';

/** Milliseconds. */
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * What AWS counts of functions, machines, queues and the table. `Failed` and `Failing` are of each machine and begin with its id; `{machine}` is
 * its key.
 */
export const awsAlerts = {
  StuckExecutions: {
    severity: 'warning',
    summary: 'Executions of a day did not end within it: a night takes more than twenty hours, or runs hang.',
    watched: { kind: 'aws', period: 86_400 },
  },
  ProvisioningSlow: {
    severity: 'warning',
    summary: 'The provisioning that was measured last took thirty minutes or longer.',
    watched: { kind: 'aws', period: 3_600, atLeast: 30 * minute },
  },
  ProvisioningUnmeasured: {
    severity: 'warning',
    summary: 'No provisioning has been measured for ninety days: how long it takes is not known any more.',
    watched: { kind: 'aws', period: 3_600, atLeast: 90 * day },
  },
  RestoreDrillSlow: {
    severity: 'warning',
    summary: 'The restore drill that passed last took as long as the objective of four hours, or longer.',
    watched: { kind: 'aws', period: 3_600, atLeast: 4 * hour },
  },
  RecoveryPointAgeing: {
    severity: 'warning',
    summary:
      'The newest moment that some store can be restored to in the other region is older than 30 minutes.',
    // The replica of the database may trail by so much for a moment.
    watched: { kind: 'aws', period: 300, atLeast: 30 * minute, periods: { of: 3, over: 2 } },
  },
  RecoveryPointTooOld: {
    severity: 'critical',
    summary:
      'Some store can be restored to a moment of 45 minutes ago at best; after an hour the objective is missed.',
    watched: { kind: 'aws', period: 300, atLeast: 45 * minute },
  },
  RecoveryPointOld: {
    severity: 'critical',
    summary:
      'For half an hour some store could not be restored to a moment that is new enough, or nobody looked.',
    watched: { kind: 'aws', period: 1_800 },
  },
  RestoreDrillMissing: {
    severity: 'warning',
    summary: 'No drill has proven a restore for eight days, or nobody looked.',
    watched: { kind: 'aws', period: 3_600 },
  },
  Failed: {
    severity: 'critical',
    summary: 'An execution of {machine} failed, ran out of time or was stopped.',
    watched: { kind: 'aws', period: 300 },
  },
  Failing: {
    severity: 'critical',
    summary:
      'Several executions of {machine} failed within five minutes; during a deploy this moves the aliases back.',
    watched: { kind: 'aws', period: 300, atLeast: 5 },
  },
  EventFunctionErrors: {
    severity: 'critical',
    summary:
      'Functions that events invoke fail again and again; during a deploy this moves the aliases back.',
    watched: { kind: 'aws', period: 300, atLeast: 3 },
  },
  FunctionThrottles: {
    severity: 'warning',
    summary: 'Lambda refused calls; look at the concurrency quota.',
    watched: { kind: 'aws', period: 300, periods: { of: 3, over: 2 } },
  },
  TableThrottles: {
    severity: 'warning',
    summary: 'DynamoDB refused calls on the control table.',
    watched: { kind: 'aws', period: 300, periods: { of: 3, over: 2 } },
  },
  EventsDeadLetters: {
    severity: 'critical',
    summary: 'Events or schedules could not be delivered; they wait in the queue for two weeks.',
    watched: { kind: 'aws', period: 60 },
  },
  FailedInvocations: {
    severity: 'critical',
    summary: 'A function gave an event up; it waits in the queue with the answer for two weeks.',
    watched: { kind: 'aws', period: 60 },
  },
} as const satisfies Alerts<OfAws>;
