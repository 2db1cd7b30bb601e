import { closes, type GateStanding, type QualityVerdict } from './verdict.ts';

/** How strict a gate is; the settings `quality` of the environment. */
export interface GateRules {
  /** `required`: nothing is trained on that was not judged. `optional`: only a critical verdict stops it. */
  readonly gate: 'required' | 'optional';
  /** How old a verdict may be where the gate is required. */
  readonly maxAgeHours: number;
}

/** The objects that a verdict is about: what was there, and when that was looked at. */
export interface JudgedObjects {
  readonly digest: string;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * The objects that a run may be trained on, where only judged data may be: those of the verdict that leaves the gate open. Undefined
 * where a gate is optional, or open by an operator's decision.
 */
export function judgedObjects(
  { verdict, override }: GateStanding,
  { gate }: GateRules,
  now: number,
): JudgedObjects | undefined {
  const decided = override !== undefined && Date.parse(override.expiresAt) > now;
  if (gate !== 'required' || decided || verdict?.digest === undefined) return undefined;
  return { digest: verdict.digest, at: verdict.checkedAt };
}

/** A gate that may not be passed. */
export interface ClosedGate {
  /** Why, for people. */
  readonly because: string;
  /** Nobody looked at the data, or too long ago: a fault of the platform and not of the tenant. */
  readonly unjudged?: 'missing' | 'stale';
}

const hour = 3_600_000;

function becauseOfVerdict(
  verdict: QualityVerdict | undefined,
  { gate, maxAgeHours }: GateRules,
  now: number,
): ClosedGate | undefined {
  const required = gate === 'required';
  if (!verdict)
    return required ? { because: 'no quality verdict is on record', unjudged: 'missing' } : undefined;
  const found = verdict.findings.map(({ sentence }) => sentence).join('; ');
  if (closes(verdict.verdict)) return { because: `its data failed the quality checks (${found})` };
  if (!required) return undefined;
  if (verdict.verdict === 'no-data') return { because: `there is no data to judge (${found})` };
  const age = (now - Date.parse(verdict.checkedAt)) / hour;
  if (age <= maxAgeHours) return undefined;
  const because = `its newest quality verdict is ${age.toFixed(1)} hours old (${verdict.checkedAt}), at most ${maxAgeHours} are allowed`;
  return { because, unjudged: 'stale' };
}

/**
 * Why training may not start, or undefined when it may; `now` in milliseconds. Age never opens a gate: a critical verdict holds until
 * a newer one, or an operator's decision that has not expired, replaces it. A verdict on another tenant's data is none.
 */
export function closedGate(
  found: GateStanding,
  tenantId: string,
  rules: GateRules,
  now: number,
): ClosedGate | undefined {
  const { override } = found;
  if (override?.tenantId === tenantId && Date.parse(override.expiresAt) > now) return undefined;
  const verdict = found.verdict?.tenantId === tenantId ? found.verdict : undefined;
  return becauseOfVerdict(verdict, rules, now);
}
