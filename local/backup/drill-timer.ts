import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentOf } from '../../lib/operations/backup/content.ts';
import { type Clock, isoNow } from '../../lib/ports/clock.ts';
import type { Log } from '../../lib/ports/log.ts';
import { writeDurably } from './durable-files.ts';
import { lastPassedDrill } from './last-drill.ts';

const day = 86_400_000;

/** File that says when a drill was begun last; before the first, when drills began to be counted. */
const drilledMarker = 'drilled-at';

/** What a running control plane needs to begin drills. */
export interface DrillTimerOptions {
  readonly stateDir: string;
  /** Folder of the repository. */
  readonly repository: string;
  readonly drillDays: number | 'off';
  readonly clock: Clock;
  readonly log: Log;
  /** Hears when a drill did not pass. */
  readonly onFault: (error: Error) => void;
  /** Runs a drill in a process of its own. */
  readonly begin: () => DrillUnderWay;
}

/** A drill in a process of its own. */
export interface DrillUnderWay {
  /** How it ended; what it said of it. */
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
  stop(): void;
}

/** Codes with which a drill cannot be run yet: nothing has been trained, or nothing backed up. */
const tooEarly = /DRILL_NOTHING_LIVE|BACKUP_NOT_FOUND/;

/** Starts `epsilon drill` on the backups of a state directory, beside the control plane that makes them. */
export function drillProcess(projectDir: string, stateDir: string, repository: string): DrillUnderWay {
  const program = join(projectDir, 'cli', 'epsilon.js');
  const words = [program, '--state-dir', stateDir, 'drill', '--backups', repository];
  const child: ChildProcess = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const parts: string[] = [];
  child.stderr?.on('data', (part) => parts.push(String(part)));
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; said: string }>();
  child.once('error', (error) => resolve({ code: null, said: error.message }));
  child.once('close', (code) => resolve({ code, said: parts.join('').trim() }));
  return { ended: promise, stop: () => void child.kill('SIGTERM') };
}

/** Begins a drill when the last is older than the settings allow: one at a time, and one that failed is tried again after a day. */
export class DrillTimer {
  readonly #options: DrillTimerOptions;
  #underWay: DrillUnderWay | undefined;

  constructor(options: DrillTimerOptions) {
    this.#options = options;
  }

  #marked(): number | undefined {
    try {
      const at = Date.parse(readFileSync(join(this.#options.stateDir, drilledMarker), 'utf8').trim());
      return Number.isNaN(at) ? undefined : at;
    } catch {
      return undefined;
    }
  }

  async #mark(): Promise<void> {
    const { stateDir, clock } = this.#options;
    await writeDurably(join(stateDir, drilledMarker), contentOf(`${isoNow(clock)}\n`));
  }

  /** Looks whether a drill is due. */
  async look(): Promise<void> {
    const { clock, drillDays, repository } = this.#options;
    if (drillDays === 'off' || this.#underWay) return;
    const [now, marked] = [clock.now(), this.#marked()];
    // A state that was made just now has nothing to prove yet.
    if (marked === undefined) return this.#mark();
    const passed = lastPassedDrill(repository)?.finishedAt;
    if (passed === undefined ? now - marked < day : now - passed < drillDays * day || now - marked < day)
      return;
    await this.#mark();
    this.#begin();
  }

  #begin(): void {
    const { log, onFault, begin } = this.#options;
    const drill = begin();
    this.#underWay = drill;
    log.info('drill begun');
    void drill.ended.then(({ code, said }) => {
      this.#underWay = undefined;
      if (code === 0) log.info('drill passed');
      else if (tooEarly.test(said)) log.info('no drill yet', { because: said });
      else {
        log.error('drill not passed', { code, said });
        onFault(new Error(`the drill did not pass: ${said.split('\n').at(-1) ?? ''}`));
      }
    });
  }

  /** Ends the drill under way; it counts as not passed. */
  close(): void {
    this.#underWay?.stop();
  }
}
