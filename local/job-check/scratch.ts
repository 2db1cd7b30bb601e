import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Training } from '../../lib/config/training-of.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { JobObservation, JobSpec } from '../../lib/training/attempts/job.ts';
import { jobSpecOf, type StageOutputs } from '../../lib/training/attempts/job-spec.ts';
import type { Attempt, Run } from '../../lib/training/run.ts';
import { type StageName, stages } from '../../lib/training/stages.ts';
import { JobFolder } from '../jobs/job-folder.ts';
import { ProcessJobRunner } from '../jobs/process-job-runner.ts';
import type { JobCommand } from '../jobs/start-job.ts';
import { jsonLog } from '../log.ts';

/** Bucket of the scratch folder's objects. */
const bucket = 'scratch';

/** Documents that a check is made with: enough for the data stage, few enough for seconds. */
const documentCount = 60;

const subjects = [
  'cats sleep on warm roofs and hunt mice at night',
  'rockets burn fuel and climb through thin clouds',
  'bakers knead dough and bake bread before dawn',
  'rivers carry cold water from mountains to seas',
];

/** Where programs of a check come from. */
export type CommandOf = (spec: JobSpec, files: { readonly resultPath: string }) => JobCommand;

/** What is changed of a job before it runs. */
export interface JobChanges {
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends the job as a reclaimed instance would, once this resolves. */
  readonly interruptAfter?: (folder: JobFolder) => Promise<void>;
  readonly attempt?: number;
}

/** How a job of a check ended. */
export interface Ended {
  readonly observation: JobObservation;
  readonly folder: JobFolder;
  readonly spec: JobSpec;
  /** Milliseconds it ran. */
  readonly ms: number;
  /** Last lines of its standard error. */
  readonly lastWords: string;
}

/** What a job is asked to train. */
export type CheckedTraining = Training & { readonly modelType: string };

/** What a scratch folder is made for. */
export interface ScratchOptions {
  readonly clock: Clock;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly seconds: number;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** When it aborts, what runs is ended and nothing more begins. */
  readonly signal: AbortSignal;
}

/** A folder in which jobs run under the contract, with objects, documents and nothing else. */
export class Scratch {
  readonly root = mkdtempSync(join(tmpdir(), 'epsilon-job-check-'));
  readonly objects = join(this.root, 'objects');
  readonly options: ScratchOptions;
  readonly #documents = join(this.root, 'documents');
  /** What jobs are asked to train. */
  training: CheckedTraining;
  /** Output prefixes of stages that were run to their end. */
  outputs: StageOutputs = {};
  #runs = 0;

  constructor(options: ScratchOptions, training: CheckedTraining) {
    this.options = options;
    this.training = training;
    mkdirSync(join(this.objects, bucket), { recursive: true });
    mkdirSync(this.#documents);
    for (let index = 0; index < documentCount; index += 1) {
      const subject = subjects[index % subjects.length] ?? '';
      writeFileSync(
        join(this.#documents, `document-${String(index).padStart(2, '0')}.txt`),
        `${`${subject}, as every day ${index}. `.repeat(12)}\n\nParagraph ${index} of this book says again that ${subject}.\n`,
      );
    }
  }

  /** Path of an `s3://` URI. */
  pathOf(uri: string): string {
    return join(this.objects, uri.slice('s3://'.length));
  }

  /** A run id that was not used yet: each has a folder of outputs of its own. */
  newRun(): string {
    this.#runs += 1;
    return `check-${this.#runs}`;
  }

  /** The specification of an attempt, exactly as the control plane makes it. */
  specOf(runId: string, stage: StageName, attempt = 1): JobSpec {
    const { workload, modelFile, epochs, options, modelType } = this.training;
    const run = {
      runId,
      tenantId: 'acme',
      logicalDate: '2026-01-01',
      traceId: '0'.repeat(32),
      workload,
      modelFile,
      epochs,
      modelType,
      documentsUri: pathToFileURL(this.#documents).href,
      priority: 50,
      resources: {},
      jobOptions: { ...options, minSelfRetrieval: 0.5 },
      images: { [stages[stage].image]: stages[stage].image },
      seed: 7,
    } as unknown as Run;
    const outputUri = `s3://${bucket}/acme/runs/${runId}/${stage}/${attempt}/`;
    const jobName = `${runId}-${stage}-${attempt}`;
    const made = { stage, attempt, jobName, fence: 1, outputUri, capacity: 'spot' } as unknown as Attempt;
    return { ...jobSpecOf(run, made, this.outputs, bucket), timeoutSeconds: this.options.seconds };
  }

  /** Runs one job to its end. */
  async run(spec: JobSpec, command: CommandOf, changes: JobChanges = {}): Promise<Ended> {
    const { clock, variables, graceMs, signal } = this.options;
    checkNotInterrupted(signal);
    const environment = { ...spec.environment, ...changes.environment };
    const root = join(this.root, 'jobs');
    const ended = Promise.withResolvers<JobObservation>();
    const runner = new ProcessJobRunner({
      root,
      clock,
      log: jsonLog(clock, () => {}),
      variables,
      graceMs,
      command: (given, files) => command({ ...given, environment }, files),
      onObservation: (observation) => {
        if (observation.state === 'succeeded' || observation.state === 'failed') ended.resolve(observation);
      },
    });
    const folder = new JobFolder(root, spec.jobName);
    const began = clock.now();
    try {
      const ref = await runner.submit({ ...spec, environment });
      signal.addEventListener('abort', () => void runner.cancel(ref, 'the check was interrupted'), {
        once: true,
      });
      if (changes.interruptAfter) {
        await Promise.race([changes.interruptAfter(folder), ended.promise]);
        runner.interrupt(spec.jobName);
      }
      const observation = await ended.promise;
      checkNotInterrupted(signal);
      return { observation, folder, spec, ms: clock.now() - began, lastWords: lastWordsOf(folder) };
    } finally {
      runner.close();
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Throws `INTERRUPTED` when Ctrl-C was pressed. */
function checkNotInterrupted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new EpsilonError('INTERRUPTED', 'Stopped; the job that ran was ended.', {
      exitCode: exitCodes.interrupted,
    });
}

/** The last lines of a job's standard error, without what a terminal would take for orders. */
function lastWordsOf(folder: JobFolder): string {
  try {
    const lines = readFileSync(folder.file('stderr.log'), 'utf8').trim().split('\n').slice(-8);
    return lines.map((line) => line.replace(/[\p{Cc}\p{Cf}\p{Co}\uFFFD]+/gu, ' ').slice(0, 300)).join('\n');
  } catch {
    return '';
  }
}
