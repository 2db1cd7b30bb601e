/** When each step of a round was over, in milliseconds since the Unix epoch. */
export interface DrillTimes {
  /** The control plane was killed, and its state directory removed with it. */
  readonly killedAt: number;
  /** The point was restored and verified, and waited for its approval. */
  readonly verifiedAt: number;
  /** The approved state was the one that goes on. */
  readonly promotedAt: number;
  /** A control plane answered on it. */
  readonly answeredAt: number;
  /** A write was acknowledged and read back. */
  readonly wroteAt: number;
  /** `epsilon query` answered from the restored model. */
  readonly queriedAt: number;
}

/** A round that came to its end: a kill, a restore, a write, a query. */
export interface FinishedRound {
  readonly round: number;
  readonly times: DrillTimes;
  /** Writes that were acknowledged before the kill, as the ledger outside the state has them. */
  readonly acknowledged: number;
  /** Those of them that the restored state has not. */
  readonly lost: number;
  /** Milliseconds from the newest acknowledged write that survived to the kill; 0 when none was lost. */
  readonly rpoMs: number;
  /** Milliseconds that the backup had taken which the kill cut short; 0 when none was under way. */
  readonly unfinishedMs: number;
  readonly point: string;
  readonly passedOver: number;
  /** What the restore read back. */
  readonly objects: number;
  readonly rows: number;
  readonly pointers: number;
  readonly bytesRead: number;
  /** Executions, runs and attempts that were under way in the restored state once it was promoted. */
  readonly underWay: number;
  /** Model that answered, the one that was live before the kill, and how many answers it gave. */
  readonly model: string;
  readonly modelBefore: string;
  readonly answers: number;
}

/** A round; one that did not come to its end counts as failed. */
export type DrillRound = FinishedRound | { readonly round: number; readonly error: string };

/** A fault that was provoked, and what came of it. */
export interface DrillFault {
  /** Number in docs/faults.md. */
  readonly fault: string;
  readonly what: string;
  readonly outcome: 'held' | 'failed' | 'not run';
  readonly detail: string;
}

/** What a drill is measured by. */
export interface DrillGoals {
  /** Rounds in a row, none of them left out. */
  readonly rounds: number;
  /** Milliseconds between two backups of the drilled control plane. */
  readonly everyMs: number;
  /** Milliseconds that the settings put between two backups; `off` makes none by itself. */
  readonly settingMs: number | 'off';
  /** Milliseconds that the settings allow to be lost. */
  readonly rpoMs: number;
}

/** What a drill did; the verdict is computed from it alone. */
export interface DrillRecord {
  readonly schemaVersion: 1;
  readonly id: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly host: string;
  /** Version of Node that it ran on. */
  readonly node: string;
  /** Point that the drill began with, the newest of the repository. */
  readonly point: string;
  readonly pointTakenAt: string;
  /** Newer points that could not be used. */
  readonly passedOver: readonly { readonly id: string; readonly why: string }[];
  /** Bytes of databases and objects. */
  readonly dataBytes: number;
  /** The longest that a backup of the drilled control plane took, in milliseconds, those that a kill cut short included. */
  readonly longestBackupMs: number;
  readonly goals: DrillGoals;
  readonly rounds: readonly DrillRound[];
  readonly faults: readonly DrillFault[];
}

/** Whether a drill passed, and the worst of what it measured. */
export interface DrillVerdict {
  readonly passed: boolean;
  /** Why it did not pass. */
  readonly reasons: readonly string[];
  readonly worstRtoMs: number | null;
  readonly worstRpoMs: number | null;
  readonly lost: number;
  /** What the settings can lose at worst: their interval and the longest backup. */
  readonly settingsRpoMs: number | null;
  readonly rtoGoalMs: number;
}

/** Rounds that a drill must have. */
const leastRounds = 5;

const gigabyte = 1e9;

/** Milliseconds by which a timer of a busy host may be late. */
const slackMs = 1_000;

/** Milliseconds that a restore may take, from the kill to the query: a minute for each gigabyte, and one at least. */
function rtoGoalMs(dataBytes: number): number {
  return 60_000 * Math.max(1, dataBytes / gigabyte);
}

/** Milliseconds from the kill to both a verified write and an answer. */
export function rtoOf({ times }: Pick<FinishedRound, 'times'>): number {
  return Math.max(times.wroteAt, times.queriedAt) - times.killedAt;
}

function roundReasons(round: DrillRound, record: DrillRecord): string[] {
  const name = `round ${round.round}`;
  if ('error' in round) return [`${name} did not come to its end: ${round.error}`];
  const { goals, longestBackupMs, dataBytes } = record;
  const mayLose = goals.everyMs + longestBackupMs + slackMs;
  const checks: [boolean, string][] = [
    [round.acknowledged > 0, 'nothing was acknowledged before the kill'],
    [
      round.rpoMs <= mayLose,
      `${round.rpoMs} ms were lost; backups ${goals.everyMs} ms apart may lose ${mayLose}`,
    ],
    [rtoOf(round) <= rtoGoalMs(dataBytes), `it took ${rtoOf(round)} ms; the goal is ${rtoGoalMs(dataBytes)}`],
    [round.bytesRead > 0 && round.rows > 0 && round.pointers > 0, 'nothing was read back'],
    [round.passedOver === 0, `${round.passedOver} newer points could not be used`],
    [round.underWay === 0, `${round.underWay} things were under way in the restored state`],
    [round.answers > 0, 'the query had no answer'],
    [round.model === round.modelBefore, `model ${round.model} answered, ${round.modelBefore} was live`],
  ];
  return checks.filter(([holds]) => !holds).map(([, why]) => `${name}: ${why}`);
}

/** The verdict on a drill. A partial drill fails, and so does one that checked nothing. */
export function judgeDrill(record: DrillRecord): DrillVerdict {
  const { goals, rounds, faults, longestBackupMs, dataBytes, passedOver } = record;
  const finished = rounds.filter((round) => !('error' in round)) as FinishedRound[];
  const settingsRpoMs = goals.settingMs === 'off' ? null : goals.settingMs + longestBackupMs;
  const reasons = [
    ...(rounds.length < Math.max(goals.rounds, leastRounds)
      ? [`${rounds.length} rounds; at least ${Math.max(goals.rounds, leastRounds)} count`]
      : []),
    ...passedOver.map(({ id, why }) => `the newest point could not be used: ${id}: ${why}`),
    ...rounds.flatMap((round) => roundReasons(round, record)),
    ...faults
      .filter(({ outcome }) => outcome === 'failed')
      .map(({ fault, what, detail }) => `${fault}, ${what}: ${detail}`),
    ...(settingsRpoMs === null ? ['backups are off in the settings'] : []),
    ...(settingsRpoMs !== null && settingsRpoMs > goals.rpoMs
      ? [`the settings can lose ${settingsRpoMs} ms; ${goals.rpoMs} are allowed`]
      : []),
  ];
  const worst = (values: number[]) => (values.length === 0 ? null : Math.max(...values));
  return {
    passed: reasons.length === 0,
    reasons,
    worstRtoMs: worst(finished.map(rtoOf)),
    worstRpoMs: worst(finished.map(({ rpoMs }) => rpoMs)),
    lost: finished.reduce((sum, { lost }) => sum + lost, 0),
    settingsRpoMs,
    rtoGoalMs: rtoGoalMs(dataBytes),
  };
}
