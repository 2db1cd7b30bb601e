import { describe, expect, it } from 'vitest';
import { recoveryPlace } from '../../../lib/aws/wiring/recovery-place.ts';
import { snapshotPlan } from '../../../lib/backup/cloud/plan.ts';
import { checkRecovery, recoverySchema } from '../../../lib/backup/cloud/settings.ts';
import { expiredSnapshots } from '../../../lib/backup/cloud/snapshot-retention.ts';
import { anAwsBase } from '../../fixtures/aws-base.ts';

const on = (over: object) => recoverySchema.parse({ mode: 'on', region: 'us-east-1', ...over });
const key = 'arn:aws:kms:us-east-1:123456789012:key/replica';

function placeWith(replicaKeyArn: string | undefined) {
  const base = anAwsBase();
  const found = { databaseId: 'db', replicaBucket: 'replica', ...(replicaKeyArn ? { replicaKeyArn } : {}) };
  return () => recoveryPlace({ ...base, deployment: { ...base.deployment, ...found } });
}

describe('settings of recovery', () => {
  it.each([
    ['of the service itself as the other one', { region: 'us-west-2' }, 'DR_REGION_SAME'],
    ['that keep nothing', { keepDays: 0 }, 'RETENTION_RANGE'],
    ['that keep longer than the service can', { keepDays: 36 }, 'RETENTION_RANGE'],
    ['that allow less than replicas trail', { rpoMinutes: 34 }, 'RPO_UNREACHABLE'],
    ['that forget a run that can be redriven', { retention: { runDays: 14 } }, 'RETENTION_RANGE'],
    ['that remove what a restored table names', { retention: { objectDays: 35 } }, 'RETENTION_RANGE'],
  ])('settings %s are refused, with the bound', (_, over, code) => {
    expect(() => checkRecovery('us-west-2', on(over))).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['of another account', key.replace('123456789012', '210987654321'), 'ARN_MISMATCH'],
    ['of another partition', key.replace('arn:aws:', 'arn:aws-cn:'), 'ARN_MISMATCH'],
    ['of another region', key.replace('us-east-1', 'us-west-2'), 'KMS_KEY_REGION'],
    ['that is missing', undefined, 'DEPLOYMENT_INCOMPLETE'],
  ])('key of the replicas %s is refused before anything is called', (_, arn, code) => {
    expect(placeWith(arn)).toThrow(expect.objectContaining({ code }));
  });
});

describe('snapshots', () => {
  it('snapshot of a day is due from its hour on', () => {
    const settings = { snapshotHour: 1, snapshotHours: 6 };
    const at = (time: string) => snapshotPlan('dev', settings, Date.parse(time)).id;
    expect(at('2026-11-24T00:59:59Z')).toBe('epsilon-dev-2026-11-23');
    expect(at('2026-11-24T01:00:00Z')).toBe('epsilon-dev-2026-11-24');
  });

  const snapshots = Array.from({ length: 12 }, (_, index) => ({
    id: `s${index + 1}`,
    arn: '',
    instance: '',
    status: 'available',
    progress: 100,
    takenAt: `2026-11-${String(index + 1).padStart(2, '0')}T01:00:00Z`,
    encrypted: true,
  }));
  const now = Date.parse('2026-11-12T12:00:00Z');
  const idsWith = (keepAtLeast: number, verifiedTo: string | undefined) =>
    expiredSnapshots(snapshots, { keepDays: 7, keepAtLeast }, verifiedTo, now).map(({ id }) => id);

  it('none expires before something newer was proven', () => {
    expect(idsWith(3, undefined)).toEqual([]);
    expect(idsWith(3, '2026-11-01T00:00:00Z')).toEqual([]);
  });

  it('age and count both hold, and the newest that is not after the proven moment stays', () => {
    expect(idsWith(3, '2026-11-12T00:00:00Z')).toEqual(['s5', 's4', 's3', 's2', 's1']);
    expect(idsWith(10, '2026-11-12T00:00:00Z')).toEqual(['s2', 's1']);
    expect(idsWith(3, '2026-11-03T12:00:00Z')).toEqual(['s2', 's1']);
  });
});
