import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import type { EpsilonHandler, Invoke } from '../../lib/handler/define-handler.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { IdSource } from '../../lib/ports/id-source.ts';
import type { JobRunners, Ports } from '../../lib/ports/ports.ts';
import { functionArn } from '../asl/model/names.ts';
import type { Service } from '../declaration/service.ts';

/** What the embedded runtime gives every handler: all ports, and with the backends the one it has itself. */
export type LocalPorts = Ports & { readonly jobs: Required<JobRunners> };

/** Calls the service's functions in this process, with the same handlers that Lambda runs. */
export class LocalFunctions {
  readonly #service: Service;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  readonly #bound = new Map<string, Promise<Invoke>>();
  #ports: LocalPorts | undefined;
  #underWay = 0;

  constructor(service: Service, clock: Clock, ids: IdSource) {
    this.#service = service;
    this.#clock = clock;
    this.#ids = ids;
  }

  /** Gives the ports; they need the engine, which needs the functions. */
  bind(ports: LocalPorts): void {
    this.#ports = ports;
  }

  /** Invocations under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Invokes a function by its key; its error is passed on as it is, a missing one is Lambda's own. */
  async invoke(key: string, event: unknown): Promise<unknown> {
    this.#underWay += 1;
    try {
      return await this.#invoke(key, event);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #invoke(key: string, event: unknown): Promise<unknown> {
    const declared = this.#service.functions.get(key);
    if (!declared)
      throw Object.assign(new Error(`There is no function "${key}".`), {
        name: 'Lambda.ResourceNotFoundException',
      });
    let bound = this.#bound.get(key);
    if (!bound) {
      bound = this.#load(declared.file, declared.exportName);
      this.#bound.set(key, bound);
    }
    const handler = await bound;
    const payload = event === undefined ? {} : (JSON.parse(JSON.stringify(event)) as unknown);
    return this.#withinTime(
      handler(payload, this.#context(key, declared.timeoutSeconds)),
      key,
      declared.timeoutSeconds,
    );
  }

  async #load(file: string, exportName: string): Promise<Invoke> {
    const module = (await import(pathToFileURL(file).href)) as Record<string, EpsilonHandler | undefined>;
    const handler = module[exportName];
    if (!handler || !this.#ports) throw new Error(`${file} exports no handler "${exportName}".`);
    return handler.withPorts(this.#ports);
  }

  async #withinTime(work: Promise<unknown>, key: string, seconds: number): Promise<unknown> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(seconds * 1000, () => {
      reject(
        Object.assign(new Error(`Function "${key}" took longer than ${seconds} seconds.`), {
          name: 'Sandbox.Timedout',
        }),
      );
    });
    try {
      return await Promise.race([work, promise]);
    } finally {
      timer.cancel();
    }
  }

  #context(key: string, timeoutSeconds: number): Context {
    const deadline = this.#clock.now() + timeoutSeconds * 1000;
    return {
      callbackWaitsForEmptyEventLoop: false,
      functionName: key,
      functionVersion: '$LATEST',
      invokedFunctionArn: functionArn(key),
      memoryLimitInMB: '0',
      awsRequestId: this.#ids.ulid(),
      logGroupName: 'local',
      logStreamName: 'local',
      getRemainingTimeInMillis: () => Math.max(0, deadline - this.#clock.now()),
      done: () => {},
      fail: () => {},
      succeed: () => {},
    };
  }
}
