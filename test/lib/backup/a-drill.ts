import type { DrillRecord, FinishedRound } from '../../../lib/backup/drill.ts';

const killedAt = Date.parse('2026-11-26T12:00:00Z');

/** A round in which nothing went wrong: 3 s to recover, 2 of 100 writes lost. */
export function aRound(round: number, over: Partial<FinishedRound> = {}): FinishedRound {
  return {
    round,
    times: {
      killedAt,
      verifiedAt: killedAt + 1_000,
      promotedAt: killedAt + 1_500,
      answeredAt: killedAt + 2_000,
      wroteAt: killedAt + 2_100,
      queriedAt: killedAt + 3_000,
    },
    acknowledged: 100,
    lost: 2,
    rpoMs: 400,
    unfinishedMs: 0,
    point: '01JDK5ZQ8B8V9W3N4T5R6S7T00',
    passedOver: 0,
    objects: 10,
    rows: 50,
    pointers: 5,
    bytesRead: 10_000,
    underWay: 0,
    model: 'm1',
    modelBefore: 'm1',
    answers: 3,
    ...over,
  };
}

/** A drill of five such rounds. */
export function aDrill(over: Partial<DrillRecord> = {}): DrillRecord {
  return {
    schemaVersion: 1,
    id: '01JDK5ZQ8B8V9W3N4T5R6S7T09',
    startedAt: '2026-11-26T12:00:00.000Z',
    finishedAt: '2026-11-26T12:01:00.000Z',
    host: 'host',
    node: 'v24.0.0',
    point: '01JDK5ZQ8B8V9W3N4T5R6S7T00',
    pointTakenAt: '2026-11-26T11:59:00.000Z',
    passedOver: [],
    dataBytes: 10_000,
    longestBackupMs: 100,
    goals: { rounds: 5, everyMs: 1_000, settingMs: 240_000, rpoMs: 300_000 },
    rounds: [1, 2, 3, 4, 5].map((round) => aRound(round)),
    faults: [],
    ...over,
  };
}
