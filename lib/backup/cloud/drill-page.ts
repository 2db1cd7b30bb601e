import type { Block, Report, TimelineBlock } from '../../reports/blocks.ts';
import { type CloudDrill, type CloudDrillVerdict, estimates } from './drill.ts';

const minutesText = (minutes: number | null) =>
  minutes === null ? 'not measured' : `${minutes.toFixed(minutes < 10 ? 1 : 0)} min`;

/** What took how long, from the declared loss on: measured, then as estimated for a real one. */
function timelines({ times }: CloudDrill): TimelineBlock[] {
  const at = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time));
  const began = Date.parse(times.declaredAt);
  const stores = Math.max(at(times.databaseAt) ?? began, at(times.tableAt) ?? began);
  const steps: [string, number, number | undefined][] = [
    ['database restored', began, at(times.databaseAt)],
    ['table restored', began, at(times.tableAt)],
    ['read back', stores, at(times.verifiedAt)],
    ['removed again', at(times.verifiedAt) ?? stores, at(times.removedAt)],
  ];
  const measured = steps.flatMap(([label, from, to]) =>
    to === undefined || to < from
      ? []
      : [
          {
            label,
            spans: [{ from, to, label: minutesText((to - from) / 60_000), tone: 'neutral' as const }],
          },
        ],
  );
  let estimatedAt = 0;
  const estimated = estimates.map(({ what, minutes }) => {
    const from = estimatedAt;
    estimatedAt += minutes * 60_000;
    return {
      label: what,
      spans: [{ from, to: estimatedAt, label: `${minutes} min`, tone: 'neutral' as const }],
    };
  });
  return [
    {
      kind: 'timeline',
      title: 'Measured, from the declared loss',
      from: began,
      to: Date.parse(times.removedAt),
      rows: measured,
    },
    {
      kind: 'timeline',
      title: 'Estimated: what a drill does not go through',
      from: 0,
      to: estimatedAt,
      rows: estimated,
    },
  ];
}

/** A drill on AWS as a page: its verdict, its timeline, and what was read back. */
export function cloudDrillPage(drill: CloudDrill, verdict: CloudDrillVerdict): Report {
  const { id, environment, account, region, verifiedBy, point, times, checks, bytesRead } = drill;
  const reasons = verdict.reasons.map((text): Block => ({ kind: 'text', text }));
  const facts: Block = {
    kind: 'facts',
    facts: [
      {
        name: 'Verdict',
        value: verdict.passed ? 'passed' : 'not passed',
        tone: verdict.passed ? 'good' : 'critical',
      },
      {
        name: 'Time to recover',
        value: `${minutesText(verdict.recoveryMinutes)} with estimates (goal 240 min), ${minutesText(verdict.measuredMinutes)} measured`,
      },
      { name: 'Acknowledged work lost', value: `${minutesText(verdict.lossMinutes)} (goal 60 min)` },
      { name: 'Moment', value: point },
      { name: 'Read back', value: `${bytesRead} bytes, by the role of ${verifiedBy}` },
      { name: 'Where', value: `${environment}, account ${account}, ${region}` },
    ],
  };
  return {
    title: `Recovery drill ${id}`,
    madeAt: times.removedAt,
    blocks: [facts, ...reasons],
    sections: [
      { heading: 'Time', blocks: timelines(drill) },
      {
        heading: 'Checks',
        blocks: [
          {
            kind: 'table',
            head: ['Check', 'Looked at', 'Faults'],
            rows: checks.map(({ name, count, faults }) => [name, count, faults.join('; ')]),
          },
          {
            kind: 'table',
            head: ['Store', 'Acknowledged (minute)', 'Restored (minute)'],
            rows: Object.entries(drill.acknowledged).map(([store, n]) => [
              store,
              n,
              drill.restored[store] ?? 'not read',
            ]),
          },
        ],
      },
    ],
  };
}
