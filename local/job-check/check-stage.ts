import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type StageName, stages } from '../../lib/training/stages.ts';
import type { JobFolder } from '../jobs/job-folder.ts';
import { firstProgress, lastProgress } from '../jobs/progress-file.ts';
import { type Finding, finding } from './findings.ts';
import { changedOutside, filesBelow, lookAtOutput } from './look-at-output.ts';
import type { CommandOf, Ended, JobChanges, Scratch } from './scratch.ts';

/** Milliseconds between looks at a job that is to be interrupted. */
const look = 20;

/** One thing that was tried. */
export interface Step {
  readonly stage: StageName;
  readonly step: string;
  /** How the job ended, or why it was not tried. */
  readonly outcome: string;
  readonly findings: readonly Finding[];
}

const outcomeOf = ({ observation, ms }: Ended): string => {
  const { state, reason, exitCode } = observation;
  const code = exitCode === undefined ? '' : ` with ${exitCode}`;
  const how = state === 'succeeded' ? 'ended' : reason === 'unstartable' ? 'did not start' : 'left';
  return `${how}${code} after ${(ms / 1000).toFixed(1)} s`;
};

const wordsOf = ({ lastWords, observation }: Ended): string => {
  const said = lastWords === '' ? (observation.message ?? '') : lastWords;
  return said === '' ? '' : ` It said:\n${said}`;
};

const left = ({ observation }: Ended): boolean =>
  / left (a process|\d+ processes) behind/.test(` ${observation.message ?? ''}`);

/** Whether an attempt began further on than the one before it; also where nothing is known of that. */
function goesFurther(before: Ended, after: Ended): boolean {
  const [from, to] = [before, after].map(({ folder }) => firstProgress(folder.file('progress.jsonl'))?.done);
  return from === undefined || to === undefined || to > from;
}

/** Tries one stage's command in every way that the contract speaks of. */
export class StageCheck {
  readonly #scratch: Scratch;
  readonly #stage: StageName;
  readonly #command: CommandOf;
  readonly steps: Step[] = [];

  constructor(scratch: Scratch, stage: StageName, command: CommandOf) {
    this.#scratch = scratch;
    this.#stage = stage;
    this.#command = command;
  }

  #note(step: string, ended: Ended | string, findings: readonly Finding[]): void {
    const outcome = typeof ended === 'string' ? ended : outcomeOf(ended);
    this.steps.push({ stage: this.#stage, step, outcome, findings });
  }

  #run(runId: string, changes: JobChanges = {}): Promise<Ended> {
    const spec = this.#scratch.specOf(runId, this.#stage, changes.attempt);
    return this.#scratch.run(spec, this.#command, changes);
  }

  /** All steps; those after the first only where the first one worked. True when the stage has an output for the next. */
  async all(): Promise<boolean> {
    const whole = await this.#whole();
    if (whole.observation.state !== 'succeeded') return false;
    await this.#interrupted(whole);
    await this.#unwritable();
    await this.#withoutInput();
    await this.#unknownContract();
    this.#scratch.outputs = { ...this.#scratch.outputs, [this.#stage]: whole.spec.outputUri };
    return true;
  }

  async #whole(): Promise<Ended> {
    const before = filesBelow(this.#scratch.objects);
    const ended = await this.#run(this.#scratch.newRun());
    const { observation, spec } = ended;
    if (observation.reason === 'timeout') {
      this.#note('run to the end', ended, [
        finding('TOO_SLOW', `It did not end within ${spec.timeoutSeconds} seconds.`),
      ]);
      return ended;
    }
    if (observation.state !== 'succeeded') {
      this.#note('run to the end', ended, [
        finding('COMMAND_FAILED', `${this.#endOf(ended)}.${wordsOf(ended)}`),
      ]);
      return ended;
    }
    const strangers = changedOutside(
      before,
      filesBelow(this.#scratch.objects),
      this.#scratch.pathOf(spec.outputUri),
    );
    const shown = strangers.slice(0, 3).map((path) => path.slice(this.#scratch.objects.length + 1));
    this.#note('run to the end', ended, [
      ...lookAtOutput(this.#scratch, ended),
      ...(strangers.length > 0 ? [finding('WRITES_ELSEWHERE', `It changed ${shown.join(', ')}.`)] : []),
      ...(left(ended) ? [finding('LEAVES_PROCESSES', `${observation.message}.`)] : []),
    ]);
    return ended;
  }

  #endOf({ observation }: Ended): string {
    const { message, exitCode } = observation;
    return exitCode === undefined ? (message ?? 'it did not start') : `It left with ${exitCode}`;
  }

  /** Resolves when the job is in the middle of its work: when it says that it has begun, else after half the time it took before. */
  #middle(whole: Ended): (folder: JobFolder) => Promise<void> {
    const { clock } = this.#scratch.options;
    const tells = lastProgress(whole.folder.file('progress.jsonl')) !== undefined;
    return async (folder) => {
      const end = clock.now() + (tells ? whole.ms * 2 : whole.ms / 2);
      while (clock.now() < end) {
        if (tells && (lastProgress(folder.file('progress.jsonl'))?.done ?? 0) > 0) return;
        await new Promise<void>((again) => clock.setTimer(look, again));
      }
    };
  }

  async #interrupted(whole: Ended): Promise<void> {
    const runId = this.#scratch.newRun();
    const ended = await this.#run(runId, { interruptAfter: this.#middle(whole) });
    const { observation, spec } = ended;
    if (observation.state === 'succeeded') {
      this.#note('SIGTERM in the middle', 'not tried: it was over before', []);
      return;
    }
    const found = this.#afterSigterm(ended);
    const saved = [...filesBelow(dirname(this.#scratch.pathOf(spec.outputUri))).keys()].length > 0;
    if (stages[this.#stage].checkpoints && !saved && found.length === 0)
      found.push(finding('NO_CHECKPOINT', 'After SIGTERM there is nothing below its output.'));
    this.#note('SIGTERM in the middle', ended, found);
    const again = await this.#run(runId, { attempt: 2 });
    const same =
      JSON.stringify(again.observation.result?.['checksums']) ===
      JSON.stringify(whole.observation.result?.['checksums']);
    const worked = again.observation.state === 'succeeded';
    const startsAgain = worked && saved && stages[this.#stage].checkpoints && !goesFurther(ended, again);
    this.#note('run again after it', again, [
      ...(startsAgain
        ? [finding('STARTS_AGAIN', 'Its progress began where the interrupted attempt had begun.')]
        : []),
      ...(worked ? [] : [finding('DOES_NOT_RESUME', `${this.#endOf(again)}.${wordsOf(again)}`)]),
      ...(worked && !same
        ? [finding('OTHER_MODEL', 'The checksums in its result are others than without SIGTERM.')]
        : []),
    ]);
  }

  #afterSigterm(ended: Ended): Finding[] {
    const { observation } = ended;
    const { exitCode } = observation;
    const program = basename(this.#command(ended.spec, { resultPath: '' }).file);
    if (left(ended) && exitCode !== 137)
      return [
        finding(
          'WRAPPER_KEEPS_SIGNAL',
          `"${program}" ended at SIGTERM and did not pass it on: what it had started was still running, and was killed.`,
          wrapperFix(program),
        ),
      ];
    if (exitCode === 137)
      return [finding('IGNORES_SIGTERM', 'It was still running after the grace period and was killed.')];
    if (exitCode !== 143)
      return [finding('SIGTERM_EXIT_CODE', `It left with ${exitCode} after SIGTERM.${wordsOf(ended)}`)];
    return [];
  }

  async #unwritable(): Promise<void> {
    const runId = this.#scratch.newRun();
    const spec = this.#scratch.specOf(runId, this.#stage);
    const parent = dirname(this.#scratch.pathOf(spec.outputUri));
    mkdirSync(dirname(parent), { recursive: true });
    // A file in the place of the folder: nobody, root included, can write below it.
    writeFileSync(parent, '');
    const ended = await this.#run(runId);
    this.#note('output that cannot be written', ended, [
      ...(ended.observation.exitCode === 0
        ? [
            finding(
              'HIDES_FAILED_WRITE',
              'It left with 0 although nothing could be written below its output.',
            ),
          ]
        : []),
    ]);
  }

  async #withoutInput(): Promise<void> {
    const spec = this.#scratch.specOf(this.#scratch.newRun(), this.#stage);
    const inputs = JSON.parse(spec.environment['EPSILON_INPUTS'] ?? '{}') as Record<string, string>;
    const gone = Object.keys(inputs).map((name) => [name, `s3://scratch/acme/gone/${name}/`]);
    const environment = { EPSILON_INPUTS: JSON.stringify(Object.fromEntries(gone)) };
    const ended = await this.#scratch.run(spec, this.#command, { environment });
    const { exitCode = 1 } = ended.observation;
    const refused = exitCode >= 64 && exitCode <= 78 && exitCode !== 75;
    this.#note('inputs that are not there', ended, [
      ...(exitCode === 0 ? [finding('ACCEPTS_MISSING_INPUT', 'It left with 0 without its inputs.')] : []),
      ...(exitCode !== 0 && !refused ? [finding('RETRIES_MISSING_INPUT', `It left with ${exitCode}.`)] : []),
    ]);
  }

  async #unknownContract(): Promise<void> {
    const ended = await this.#run(this.#scratch.newRun(), { environment: { EPSILON_CONTRACT: '99' } });
    this.#note('a contract of another version', ended, [
      ...(ended.observation.exitCode === 0
        ? [finding('ACCEPTS_ANY_CONTRACT', 'It left with 0 under version 99 of the contract.')]
        : []),
    ]);
  }
}

function wrapperFix(program: string): string | undefined {
  if (/^(ba|da|z|k)?sh$/.test(program))
    return `Put exec before the program: ${program} -c 'exec python3 train.py "$@"' sh`;
  if (/^(conda|mamba|micromamba)$/.test(program))
    return `"${program} run" keeps signals to itself: name the environment's own python instead.`;
  return undefined;
}
