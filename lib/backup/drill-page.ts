import type { Block, Report, Section, TimelineBlock, Tone } from '../reports/blocks.ts';
import { type DrillRecord, type DrillRound, type DrillVerdict, type FinishedRound, rtoOf } from './drill.ts';

const secondsText = (milliseconds: number | null) =>
  milliseconds === null ? 'not measured' : `${(milliseconds / 1_000).toFixed(1)} s`;

const isFinished = (round: DrillRound): round is FinishedRound => !('error' in round);

/** What took how long, from the kill on. */
function timeline({ round, times }: FinishedRound): TimelineBlock {
  const { killedAt, verifiedAt, promotedAt, answeredAt, wroteAt, queriedAt } = times;
  const steps: [string, number, number, Tone][] = [
    ['restore and verification', killedAt, verifiedAt, 'neutral'],
    ['approval', verifiedAt, promotedAt, 'neutral'],
    ['start', promotedAt, answeredAt, 'neutral'],
    ['first verified write', answeredAt, wroteAt, 'good'],
    ['query', wroteAt, queriedAt, 'good'],
  ];
  return {
    kind: 'timeline',
    title: `Round ${round}: ${secondsText(queriedAt - killedAt)} from the kill to the answer`,
    from: killedAt,
    to: queriedAt,
    rows: steps.map(([label, from, to, tone]) => ({
      label,
      spans: [{ from, to, label: secondsText(to - from), tone }],
    })),
  };
}

function roundRow(round: DrillRound): (string | number)[] {
  if (!isFinished(round)) return [round.round, 'did not end', '', '', '', '', round.error];
  const { acknowledged, lost, rpoMs, objects, rows, point } = round;
  return [
    round.round,
    secondsText(rtoOf(round)),
    acknowledged,
    lost,
    secondsText(rpoMs),
    `${objects} and ${rows}`,
    point,
  ];
}

function facts(
  { goals, dataBytes, point, pointTakenAt, host, node }: DrillRecord,
  verdict: DrillVerdict,
): Block {
  const { passed, worstRtoMs, worstRpoMs, lost, rtoGoalMs, settingsRpoMs } = verdict;
  return {
    kind: 'facts',
    facts: [
      { name: 'Verdict', value: passed ? 'passed' : 'not passed', tone: passed ? 'good' : 'critical' },
      { name: 'Worst time to recover', value: `${secondsText(worstRtoMs)} (goal ${secondsText(rtoGoalMs)})` },
      {
        name: 'Worst loss',
        value: `${secondsText(worstRpoMs)}, backups ${secondsText(goals.everyMs)} apart`,
      },
      { name: 'Acknowledged writes lost', value: String(lost) },
      {
        name: 'Loss by the settings',
        value: `at most ${secondsText(settingsRpoMs)}; ${secondsText(goals.rpoMs)} allowed`,
      },
      { name: 'Data', value: `${dataBytes} bytes, point ${point} of ${pointTakenAt}` },
      { name: 'Where', value: `${host}, Node ${node}` },
    ],
  };
}

/** A drill as a page: its verdict, each round from the kill on, and what faults led to. */
export function drillPage(record: DrillRecord, verdict: DrillVerdict): Report {
  const reasons = verdict.reasons.map((text): Block => ({ kind: 'text', text }));
  const sections: Section[] = [
    {
      heading: 'Rounds',
      blocks: [
        {
          kind: 'table',
          head: ['Round', 'To recover', 'Acknowledged', 'Lost', 'Loss', 'Objects and rows read', 'Point'],
          rows: record.rounds.map(roundRow),
        },
        ...record.rounds.filter(isFinished).map(timeline),
      ],
    },
    {
      heading: 'Faults',
      blocks: [
        {
          kind: 'table',
          head: ['Fault', 'Outcome', 'What', 'Detail'],
          rows: record.faults.map(({ fault, outcome, what, detail }) => [fault, outcome, what, detail]),
        },
      ],
    },
  ];
  return {
    title: `Recovery drill ${record.id}`,
    madeAt: record.finishedAt,
    blocks: [facts(record, verdict), ...reasons],
    sections: record.faults.length > 0 ? sections : sections.slice(0, 1),
  };
}
