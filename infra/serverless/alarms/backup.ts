import { awsAlerts } from '../../../lib/monitoring/aws.ts';
import { ownMetric, type Watch } from '../plugin/alarm.ts';
import { saidOf } from '../plugin/catalogued.ts';
import type { Declared } from '../plugin/declared.ts';

/** The alarms of backups: what says nothing is as bad as what says that it is not so. */
export function backupAlarms(declared: Declared): Record<string, Watch> {
  const silent = { comparison: 'LessThanThreshold', threshold: 1, silenceIsFault: true } as const;
  // Without the dimension of a store it is the oldest of them.
  const worst = { watched: ownMetric(declared, 'RecoveryPointAge'), statistic: 'Maximum' } as const;
  return {
    RecoveryPointAgeingAlarm: { ...saidOf(awsAlerts.RecoveryPointAgeing), ...worst },
    RecoveryPointTooOldAlarm: { ...saidOf(awsAlerts.RecoveryPointTooOld), ...worst },
    RecoveryPointOldAlarm: {
      ...saidOf(awsAlerts.RecoveryPointOld),
      ...silent,
      watched: ownMetric(declared, 'RecoveryPointsFresh'),
    },
    RestoreDrillMissingAlarm: {
      ...saidOf(awsAlerts.RestoreDrillMissing),
      ...silent,
      watched: ownMetric(declared, 'RestoreDrillsFresh'),
    },
    RestoreDrillSlowAlarm: {
      ...saidOf(awsAlerts.RestoreDrillSlow),
      watched: ownMetric(declared, 'RestoreDrillDuration'),
      statistic: 'Maximum',
    },
  };
}
