import { describe, expect, it } from 'vitest';
import { changedTenant } from '../../../lib/tenants/tenant-changes.ts';
import { devSettings } from '../../fixtures/ports.ts';
import { aTenant } from '../../fixtures/records.ts';

const place = { config: devSettings, now: '2026-11-27T00:00:00.000Z' };
const tenant = aTenant({ backend: 'batch' });

describe("a tenant's record", () => {
  it('takes what is trained otherwise than declared, epochs and options', () => {
    const training = { epochs: 3, options: { dimensions: 128 } };
    expect(changedTenant(tenant, { training }, place)).toMatchObject({ training });
  });

  it.each([
    [{ workload: 'pytorch' }, 'WORKLOAD_UNKNOWN', 'known: reference'],
    [{ training: { options: { dimension: 128 } } }, 'TRAINING_OPTION_UNKNOWN', 'Did you mean dimensions?'],
    [{ training: { epochs: 0 } }, 'TENANT_INVALID', 'training.epochs'],
    [{ training: { speed: 'fast' } }, 'TENANT_INVALID', 'training.speed'],
    [{ resources: { train: { cpu: 1, memoryMiB: 64, gpu: 1 } } }, 'TENANT_INVALID', 'cannot ask for GPUs'],
    [
      { dataset: { location: 's3://epsilon-data/others/orders/', format: 'csv' } },
      'TENANT_INVALID',
      'dataset.location: on AWS it is below s3://',
    ],
  ])('refuses %j with %s', (changes, code, said) => {
    expect(() => changedTenant(tenant, changes, place)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(said) }),
    );
  });
});
