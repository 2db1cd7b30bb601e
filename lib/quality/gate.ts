import { closes, type GateStanding, type QualityVerdict } from './verdict.ts';

/** How strict a gate is; the settings `quality` of the environment. */
export interface GateRules {
  /** `required`: nothing is trained on that was not judged. `optional`: only a critical verdict stops it. */
  readonly gate: 'required' | 'optional';
  /** How old a verdict may be where the gate is required. */
  readonly maxAgeHours: number;
}

const hour = 3_600_000;

function becauseOfVerdict(
  verdict: QualityVerdict | undefined,
  { gate, maxAgeHours }: GateRules,
  now: number,
): string | undefined {
  const required = gate === 'required';
  if (!verdict) return required ? 'no quality verdict is on record' : undefined;
  const found = verdict.findings.map(({ sentence }) => sentence).join('; ');
  if (closes(verdict.verdict)) return `its data failed the quality checks (${found})`;
  if (!required) return undefined;
  if (verdict.verdict === 'no-data') return `there is no data to judge (${found})`;
  const age = (now - Date.parse(verdict.checkedAt)) / hour;
  if (age <= maxAgeHours) return undefined;
  return `its newest quality verdict is ${age.toFixed(1)} hours old (${verdict.checkedAt}), at most ${maxAgeHours} are allowed`;
}

/**
 * Why training may not start, or undefined when it may; `now` in milliseconds. Age never opens a gate: a critical verdict holds until
 * a newer one, or an operator's decision that has not expired, replaces it. A verdict on another tenant's data is none.
 */
export function gateClosedBecause(
  found: GateStanding,
  tenantId: string,
  rules: GateRules,
  now: number,
): string | undefined {
  const { override } = found;
  if (override?.tenantId === tenantId && Date.parse(override.expiresAt) > now) return undefined;
  const verdict = found.verdict?.tenantId === tenantId ? found.verdict : undefined;
  return becauseOfVerdict(verdict, rules, now);
}
