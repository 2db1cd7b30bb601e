import { describe, expect, it } from 'vitest';
import { closedGate } from '../../../lib/quality/gate.ts';
import type { GateOverride, QualityVerdict } from '../../../lib/quality/verdict.ts';

const now = Date.parse('2026-11-24T02:00:00Z');
const required = { gate: 'required', maxAgeHours: 26 } as const;
const optional = { gate: 'optional', maxAgeHours: 26 } as const;

const verdict = (over: Partial<QualityVerdict> = {}): QualityVerdict => ({
  tenantId: 'acme',
  verdict: 'passed',
  findings: [],
  checkedAt: '2026-11-24T01:00:00.000Z',
  since: '2026-11-24T01:00:00.000Z',
  ...over,
});

const few = {
  check: 'completeness',
  code: 'TOO_FEW_DOCUMENTS',
  severity: 'critical',
  sentence: '3 usable documents, at least 10 are needed',
} as const;

const critical = { verdict: 'critical', findings: [few] } as const;

const override = (over: Partial<GateOverride> = {}): GateOverride => ({
  tenantId: 'acme',
  reason: 'known',
  decidedAt: '2026-11-24T01:00:00.000Z',
  expiresAt: '2026-11-24T03:00:00.000Z',
  ...over,
});

const closed = (
  found: { readonly verdict?: QualityVerdict; readonly override?: GateOverride },
  rules: typeof required | typeof optional = required,
) => closedGate({ verdict: undefined, override: undefined, ...found }, 'acme', rules, now)?.because;

describe('a verdict on another tenant', () => {
  it('opens no gate that wants one', () => {
    expect(closed({ verdict: verdict() })).toBeUndefined();
    expect(closed({ verdict: verdict({ tenantId: 'beta' }) })).toMatch(/no quality verdict/);
  });

  it('closes no gate', () => {
    expect(closed({ verdict: verdict(critical) }, optional)).toMatch(/3 usable documents/);
    expect(closed({ verdict: verdict({ ...critical, tenantId: 'beta' }) }, optional)).toBeUndefined();
  });
});

describe('the gate of a tenant', () => {
  it.each(['passed', 'warning', 'learning'] as const)('is open after the verdict %s', (name) => {
    expect(closed({ verdict: verdict({ verdict: name }) })).toBeUndefined();
  });

  it('is closed without data only where a verdict is required', () => {
    expect(closed({ verdict: verdict({ verdict: 'no-data' }) })).toMatch(/no data/);
    expect(closed({ verdict: verdict({ verdict: 'no-data' }) }, optional)).toBeUndefined();
  });

  it('is closed by age only where a verdict is required, and never opened by it', () => {
    const old = { checkedAt: '2026-11-22T23:59:00.000Z' };
    expect(closed({ verdict: verdict(old) })).toMatch(/26\.0 hours old .* at most 26/);
    expect(closed({ verdict: verdict(old) }, optional)).toBeUndefined();
    expect(closed({ verdict: verdict({ ...critical, ...old }) }, optional)).toMatch(/3 usable/);
  });

  it("is opened by an operator's decision until it expires", () => {
    const bad = verdict(critical);
    expect(closed({ verdict: bad, override: override() })).toBeUndefined();
    expect(closed({ verdict: bad, override: override({ expiresAt: '2026-11-24T02:00:00.000Z' }) })).toMatch(
      /3 usable/,
    );
    expect(closed({ verdict: bad, override: override({ tenantId: 'beta' }) })).toMatch(/3 usable/);
    expect(closed({ override: override() })).toBeUndefined();
  });
});
