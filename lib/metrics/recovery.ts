/** Metrics of what could be restored on AWS. */
export const recoveryMetrics = {
  RecoveryPointsRecorded: {
    unit: 'count',
    dimensions: [],
    help: 'a pass found a moment that all stores can be restored to in the other region; 0 when it found none',
  },
  RecoveryPointAge: {
    unit: 'milliseconds',
    dimensions: ['store'],
    help: 'how far the newest moment is behind that a store can be restored to in the other region',
  },
  RecoveryPointsFresh: {
    unit: 'count',
    dimensions: [],
    help: 'a look every five minutes: 1 when no store is further behind than what may be lost, 0 otherwise',
  },
  RestoreDrillsFresh: {
    unit: 'count',
    dimensions: [],
    help: 'the same look: 1 when a drill passed within eight days, 0 otherwise',
  },
  RestoreDrillAge: {
    unit: 'milliseconds',
    dimensions: [],
    help: 'the same look: how long ago the last drill ended that passed',
  },
  RestoreDrillDuration: {
    unit: 'milliseconds',
    dimensions: [],
    help: 'the same look: how long that drill took, from its beginning to the end of what it looked at',
  },
  ProvisioningAge: {
    unit: 'milliseconds',
    dimensions: [],
    help: 'the same look: how long ago provisioning was measured, to the day',
  },
  ProvisioningDuration: {
    unit: 'milliseconds',
    dimensions: [],
    help: 'the same look: how long the provisioning took that was measured last',
  },
  RestoreDrills: {
    unit: 'count',
    dimensions: ['outcome'],
    help: 'a drill restored the newest moment in the other region (`succeeded`) or could not (`failed`)',
  },
  HeartbeatsAcknowledged: {
    unit: 'count',
    dimensions: ['store'],
    help: 'a minute: 1 when the store took the heartbeat (`database`, `table`, `objects`), 0 when it did not',
  },
  ReplicationRepairs: {
    unit: 'count',
    dimensions: [],
    help: 'a repair of the replication of objects was begun, or an object that differed was replaced',
  },
  RecoveryFaults: {
    unit: 'count',
    dimensions: ['store'],
    help: 'what keeps a store from being restored in the other region (`database`, `table`, `objects`)',
  },
} as const;
