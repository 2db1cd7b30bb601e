import type { Clock } from '../../lib/ports/clock.ts';
import type { IdSource } from '../../lib/ports/id-source.ts';
import type { Log } from '../../lib/ports/services.ts';
import type { ServiceRule, TargetRef } from '../service/service.ts';
import { compilePattern, type Matches } from './pattern.ts';

/** An event on the bus, in EventBridge's envelope. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly account: string;
  readonly region: string;
  readonly time: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** An entry of PutEvents. */
export interface EventEntry {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly resources?: readonly string[];
}

/** What the bus is made of. */
export interface EventBusOptions {
  readonly rules: readonly ServiceRule[];
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  readonly deliver: (target: TargetRef, event: BusEvent) => Promise<void>;
  /** Keeps an event that no try could deliver. */
  readonly deadLetter: (event: BusEvent, target: TargetRef, error: unknown) => void;
}

/** Tries per target before an event goes to the dead letters, and the first pause between them. */
const tries = 5;
const firstPause = 200;

/** Events beyond this size are refused, as on the service. */
const largestEvent = 262_144;

/** The in-process event bus: rules, targets with retries, dead letters. */
export class EventBus {
  readonly #options: EventBusOptions;
  readonly #rules: readonly { readonly rule: ServiceRule; readonly matches: Matches }[];
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(options: EventBusOptions) {
    this.#options = options;
    this.#rules = options.rules
      .filter((rule) => rule.enabled)
      .map((rule) => ({ rule, matches: compilePattern(rule.pattern, rule.name) }));
  }

  /** Puts entries; each is accepted or refused by itself. Delivery goes on after this returns. */
  put(entries: readonly EventEntry[]): { readonly id?: string; readonly error?: string }[] {
    return entries.map((entry) => {
      if (Buffer.byteLength(JSON.stringify(entry.detail) ?? '') > largestEvent)
        return { error: 'EVENT_TOO_LARGE' };
      const event = this.#envelope(entry);
      for (const { rule, matches } of this.#rules)
        if (matches(event)) for (const target of rule.targets) this.#send(target, event, 1);
      return { id: event.id };
    });
  }

  /** Deliveries under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves when nothing is being delivered. */
  async idle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #envelope({ source, detailType, detail, resources = [] }: EventEntry): BusEvent {
    return {
      version: '0',
      id: this.#options.ids.ulid(),
      source,
      'detail-type': detailType,
      account: '000000000000',
      region: 'local',
      time: new Date(this.#options.clock.now()).toISOString(),
      resources,
      detail,
    };
  }

  #send(target: TargetRef, event: BusEvent, attempt: number): void {
    this.#underWay += 1;
    this.#options
      .deliver(target, event)
      .catch((error: unknown) => this.#failed(target, event, attempt, error))
      .finally(() => {
        this.#underWay -= 1;
        if (this.#underWay > 0) return;
        for (const resolve of this.#idle.splice(0)) resolve();
      });
  }

  #failed(target: TargetRef, event: BusEvent, attempt: number, error: unknown): void {
    if (attempt >= tries) {
      this.#options.log.error('event not delivered', {
        target: target.key,
        detailType: event['detail-type'],
        error: String(error),
      });
      this.#options.deadLetter(event, target, error);
      return;
    }
    this.#options.clock.setTimer(firstPause * 2 ** (attempt - 1), () =>
      this.#send(target, event, attempt + 1),
    );
  }
}
