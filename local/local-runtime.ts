import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceConfig } from '../lib/config/service-config.ts';
import { EpsilonError } from '../lib/errors/epsilon-error.ts';
import { detailTypes, eventDetail } from '../lib/event-schemas/detail.ts';
import { type Clock, isoNow } from '../lib/ports/clock.ts';
import type { IdSource } from '../lib/ports/id-source.ts';
import type { Log } from '../lib/ports/log.ts';
import { SystemClock } from '../lib/system/system-clock.ts';
import { systemIds } from '../lib/system/system-ids.ts';
import type { JobObservation, JobSpec } from '../lib/training/attempts/job.ts';
import { enginePorts } from './adapters/engine-ports.ts';
import { LocalFunctions, type LocalPorts } from './adapters/functions.ts';
import { playOn, releasePorts } from './adapters/release-stand-in.ts';
import { busPublisher } from './adapters/service-ports.ts';
import { surroundings } from './adapters/surroundings.ts';
import { workloadImages } from './adapters/workload-images.ts';
import { Engine } from './asl/engine/engine.ts';
import { SqliteJournal } from './asl/journal/sqlite.ts';
import { EventBus } from './bus/bus.ts';
import { putEvents } from './bus/put-events.ts';
import type { Service, TargetRef } from './declaration/declarations.ts';
import { type LocalService, localEnvironment } from './declaration/local-service.ts';
import { type Condition, isOutside, type OutsideConditions } from './host/outside.ts';
import type { LocalJobRunner } from './jobs/local-job-runner.ts';
import { StrayWrites } from './jobs/stray-writes.ts';
import { fileLog } from './log.ts';
import { LocalMetrics } from './metrics.ts';
import { createPeopleNotifier, type PeopleNotifier } from './notify/people-notifier.ts';
import { deliveryOf } from './notify/settings.ts';
import { openJobRunner } from './open-job-runner.ts';
import type { RuntimeOptions } from './runtime-types.ts';
import { Scheduler } from './schedule/scheduler.ts';
import { freeBytes } from './state/usage.ts';
import { type LocalStores, openLocalStores } from './stores/local-stores.ts';
import type { StateDirectory } from './stores/state-directory.ts';

/** Milliseconds that handlers at work are given when the runtime closes. */
const shutdownGraceMs = 2_000;

/** Runners by backend: one that a test hands in may speak for another backend than this host's. */
const runnersOf = (runner: LocalJobRunner | undefined): LocalPorts['jobs'] => ({
  local: undefined,
  batch: undefined,
  eks: undefined,
  ...(runner ? { [runner.backend]: runner } : {}),
});

/** Everything of a runtime that does not depend on who opened it. */
export class LocalRuntime {
  readonly options: RuntimeOptions;
  readonly state: StateDirectory;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  readonly outside: OutsideConditions;
  readonly metrics = new LocalMetrics();
  readonly service: Service;
  readonly config: ServiceConfig;
  readonly stores: LocalStores;
  readonly engine: Engine;
  readonly functions: LocalFunctions;
  readonly bus: EventBus;
  readonly runner: LocalJobRunner | undefined;
  readonly scheduler: Scheduler;
  readonly ports: LocalPorts;
  readonly strays: StrayWrites;
  readonly #notifier: PeopleNotifier;
  #closing = false;

  constructor(
    options: RuntimeOptions,
    state: StateDirectory,
    outside: OutsideConditions,
    { service, config, notify }: LocalService,
  ) {
    this.options = options;
    this.state = state;
    this.outside = outside;
    this.clock = options.clock ?? new SystemClock();
    this.ids = options.ids ?? systemIds(this.clock);
    this.service = service;
    this.config = config;
    this.log = fileLog(this.clock, join(state.logs, 'control-plane.jsonl'));
    const readOnly = options.mode === 'read';
    this.strays = new StrayWrites({ ...this, objectsRoot: state.objects });
    this.#notifier = this.#makeNotifier(notify);
    const own = openLocalStores({ stateDir: state.databases, readOnly });
    this.stores = options.makeStores?.(own, this.clock) ?? own;
    this.functions = new LocalFunctions(service, this.clock, this.ids);
    try {
      this.engine = this.#engine(readOnly);
    } catch (error) {
      // The opening may be tried again.
      own.close();
      throw error;
    }
    this.bus = this.#bus();
    const workloads = { ...options, workloads: config.workloads };
    this.runner = readOnly
      ? undefined
      : openJobRunner({ ...this, workloads }, (observation, spec) => this.#observed(observation, spec));
    this.scheduler = new Scheduler({
      schedules: service.schedules,
      clock: this.clock,
      cursors: outside.patient(this.stores.cursors),
      log: this.log,
      environment: localEnvironment,
      deadLetter: (schedule, input, scheduledTime, error) =>
        this.#deadLetter({ schedule: schedule.name, input, scheduledTime, error: String(error) }),
      deliver: async (schedule, input, scheduledTime) => {
        const name = `${schedule.name}-${scheduledTime.replace(/[^0-9]/g, '').slice(0, 12)}`;
        await this.#deliver(schedule.target, input, name);
      },
    });
    const { clock, ids, log, metrics, engine, runner } = this;
    this.ports = {
      config,
      clock,
      ids,
      random: options.random ?? Math.random,
      log,
      metrics,
      ...surroundings(state.path, config, () => own.epoch()),
      ...this.stores,
      ...releasePorts(this, (error) => this.fault(error)),
      objects: this.strays.objects,
      jobs: runnersOf(runner),
      ...enginePorts(engine),
      events: busPublisher(this.bus),
      notifier: this.#notifier,
      images: workloadImages(workloads),
    };
    this.functions.bind(this.ports);
  }

  /** Conditions outside this process that keep it from going on. */
  waitingFor(): readonly Condition[] {
    return this.outside.waitingFor();
  }

  metricsText(): Promise<string> {
    this.metrics.set('epsilon_state_disk_free_bytes', freeBytes(this.state.path));
    return this.metrics.text();
  }

  fault(error: Error): void {
    this.log.error('fault', { error: String(error), stack: error.stack ?? '' });
    this.options.onFault?.(error);
  }

  /** Only a writer notifies, so only a writer needs what that takes. */
  #makeNotifier(notify: unknown): PeopleNotifier {
    const { projectDir, variables, mode, isolated } = this.options;
    const delivery = mode === 'read' || isolated ? undefined : deliveryOf(notify, { projectDir, variables });
    return createPeopleNotifier({ log: this.log, clock: this.clock, delivery, cwd: projectDir, variables });
  }

  #engine(readOnly: boolean): Engine {
    const objects = this.strays.objects;
    const engine = new Engine({
      journal: new SqliteJournal({ stateDir: this.state.databases, readOnly }),
      clock: this.clock,
      ids: this.ids,
      random: this.options.random ?? Math.random,
      retryScale: this.options.retryScale ?? 1,
      onFault: (error) => this.fault(error),
      onStall: (error) => (error ? this.outside.met(this, error) : this.outside.over(this)),
      integrations: {
        invokeFunction: ({ functionName, payload, signal }) =>
          this.#invokePatiently(functionName, payload, signal),
        readObject: (bucket, key) => objects.get(`s3://${bucket}/${key}`),
        writeObject: (bucket, key, body) =>
          this.outside.waitOut(() => objects.put(`s3://${bucket}/${key}`, body)),
        putEvents: async (entries) => putEvents(this.bus, entries),
        snsPublish: async (request) => this.#note('sns:publish', request),
        sqsSendMessage: async (request) => this.#note('sqs:sendMessage', request),
      },
    });
    for (const { key, definition } of this.service.machines)
      engine.registerMachine({ name: key, definition, resolve: this.service.resolve });
    return engine;
  }

  /**
   * A handler that meets a full disk or a locked database is invoked again when that is over: it is built for being invoked
   * twice. While this process ends, its call stays open; the next process makes it again.
   */
  async #invokePatiently(key: string, payload: unknown, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.outside.waitOut(() => {
        signal.throwIfAborted();
        return this.functions.invoke(key, payload);
      });
    } catch (error) {
      const ending = this.#closing || (this.options.signal?.aborted ?? false);
      const interrupted = error instanceof EpsilonError && error.code === 'INTERRUPTED';
      if (ending && (interrupted || isOutside(error))) return Promise.withResolvers<never>().promise;
      throw error;
    }
  }

  /** Topics and queues exist on AWS only; here their messages are in the log. */
  #note(what: string, request: unknown): { MessageId: string } {
    this.log.info(what, { request });
    return { MessageId: this.ids.ulid() };
  }

  #bus(): EventBus {
    return new EventBus({
      rules: this.service.rules,
      clock: this.clock,
      ids: this.ids,
      log: this.log,
      deliver: (target, event, input) => this.#deliver(target, input, event.id.toLowerCase()),
      deadLetter: (event, target, error) => this.#deadLetter({ target, error: String(error), event }),
    });
  }

  /** What no try could deliver is kept, one JSON line each. */
  #deadLetter(letter: Readonly<Record<string, unknown>>): void {
    const line = { at: isoNow(this.clock), ...letter };
    const text = `${JSON.stringify(line)}\n`;
    this.outside
      .waitOut(() => appendFileSync(this.state.deadLetters, text, { mode: 0o600 }))
      .catch((error: unknown) => this.fault(error as Error));
  }

  #deliver(target: TargetRef, input: unknown, name: string): Promise<void> {
    return this.outside.waitOut(async () => {
      if (target.kind === 'function') await this.functions.invoke(target.key, input);
      else await this.#startOnce(target.key, input, name);
    });
  }

  /** Delivering twice is allowed; the execution's name makes the second one visible as the same. */
  async #startOnce(machine: string, input: unknown, name: string): Promise<void> {
    try {
      await this.engine.startExecution({ machine, name, input });
    } catch (error) {
      if (!(error instanceof EpsilonError) || error.code !== 'EXECUTION_ALREADY_EXISTS') throw error;
    }
  }

  #observed(observation: JobObservation, spec: JobSpec): void {
    const data = { stage: spec.stage, attempt: spec.attempt, ...observation };
    this.bus.put([
      { source: 'epsilon.jobs', detailType: detailTypes.jobStateChange, detail: eventDetail(spec, data) },
    ]);
  }

  /** Takes up what an earlier process left, then begins to listen. */
  async begin(): Promise<void> {
    if (!this.runner) return;
    this.engine.onStatusChange((detail) => {
      this.#notifier.ended(detail);
      this.bus.put([{ source: 'aws.states', detailType: 'Step Functions Execution Status Change', detail }]);
    });
    const executions = this.engine.recover();
    const jobs = this.runner.recover();
    if (executions > 0) await playOn(this.ports);
    if (executions > 0) this.log.info('recovered', { executions, ...jobs });
    // Jobs may have ended while nobody listened: the reconciler settles them now instead of within a minute.
    if (executions > 0) await this.outside.waitOut(() => this.functions.invoke('reconcileJobs', {}));
    await this.scheduler.begin();
    if (this.options.schedules ?? true) this.scheduler.start();
  }

  /** Quiet for several turns of the event loop: a turn in between may begin something new. */
  async idle(): Promise<void> {
    for (let calm = 0; calm < 5; ) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      calm = this.engine.busy || this.functions.underWay > 0 || this.bus.underWay > 0 ? 0 : calm + 1;
    }
  }

  /** Handlers that are at work may end; what they would have done is done again by the next process otherwise. */
  async #handlersDone(): Promise<void> {
    const end = performance.now() + shutdownGraceMs;
    while (this.functions.underWay > 0 && performance.now() < end) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.scheduler.close();
    this.runner?.close();
    this.outside.close();
    await this.bus.close();
    await this.#handlersDone();
    await this.engine.close();
    await this.#notifier.close();
    this.stores.close();
    this.state.release();
  }
}
