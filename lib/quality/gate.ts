import type { QualityVerdict } from './verdict.ts';

/** Why training may not start, or undefined when it may. "No data" is never "passed" where the gate is required. */
export function gateClosedBecause(
  verdict: QualityVerdict | undefined,
  gate: 'required' | 'optional',
): string | undefined {
  if (!verdict) return gate === 'required' ? 'no quality verdict is on record' : undefined;
  return verdict.verdict === 'failed'
    ? `its data failed the quality checks (${verdict.reasons.join(', ')})`
    : undefined;
}
