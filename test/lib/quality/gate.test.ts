import { describe, expect, it } from 'vitest';
import { gateClosedBecause } from '../../../lib/quality/gate.ts';
import type { QualityVerdict } from '../../../lib/quality/verdict.ts';

const verdict = (over: Partial<QualityVerdict> = {}): QualityVerdict => ({
  tenantId: 'acme',
  verdict: 'passed',
  reasons: [],
  checkedAt: '2026-11-24T01:00:00.000Z',
  ...over,
});

describe('a verdict on another tenant', () => {
  it('opens no gate that wants one', () => {
    expect(gateClosedBecause(verdict(), 'required', 'acme')).toBeUndefined();
    expect(gateClosedBecause(verdict({ tenantId: 'beta' }), 'required', 'acme')).toMatch(
      /no quality verdict/,
    );
  });

  it('closes none', () => {
    const failed = { verdict: 'failed', reasons: ['too few documents'] } as const;
    expect(gateClosedBecause(verdict(failed), 'optional', 'acme')).toMatch(/too few documents/);
    expect(gateClosedBecause(verdict({ ...failed, tenantId: 'beta' }), 'optional', 'acme')).toBeUndefined();
  });
});
