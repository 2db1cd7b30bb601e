import type { QualityVerdict } from './verdict.ts';

/**
 * Why training may not start, or undefined when it may. "No data" is never "passed" where the gate is required, and neither is a
 * verdict on another tenant's data.
 */
export function gateClosedBecause(
  found: QualityVerdict | undefined,
  gate: 'required' | 'optional',
  tenantId: string,
): string | undefined {
  const verdict = found?.tenantId === tenantId ? found : undefined;
  if (!verdict) return gate === 'required' ? 'no quality verdict is on record' : undefined;
  return verdict.verdict === 'failed'
    ? `its data failed the quality checks (${verdict.reasons.join(', ')})`
    : undefined;
}
