import { appendFileSync } from 'node:fs';
import { traceFields } from '../lib/event-schemas/trace-fields.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { Log } from '../lib/ports/log.ts';
import type { Metrics } from '../lib/ports/metrics.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Log lines as JSON, one a line, to wherever `write` puts them; those of an invocation carry its trace fields. */
export function jsonLog(clock: Clock, write: (line: string) => void, fields: Fields = {}): Log {
  const line =
    (level: string) =>
    (message: string, more: Fields = {}) =>
      write(
        `${JSON.stringify({ timestamp: new Date(clock.now()).toISOString(), level, message, ...traceFields(), ...fields, ...more })}\n`,
      );
  return {
    debug: line('DEBUG'),
    info: line('INFO'),
    warn: line('WARN'),
    error: line('ERROR'),
    child: (more) => jsonLog(clock, write, { ...fields, ...more }),
  };
}

/** A log into a file. A full disk must not stop the work: lines are then dropped. */
export function fileLog(clock: Clock, file: string): Log {
  return jsonLog(clock, (line) => {
    try {
      appendFileSync(file, line, { mode: 0o600 });
    } catch {
      // Nothing to do about it here; the stores report the full disk.
    }
  });
}

/** Counters of this process, also as Prometheus text. */
export class LocalMetrics implements Metrics {
  readonly #values = new Map<string, number>();

  count(name: string, value: number, dimensions: Readonly<Record<string, string>> = {}): void {
    this.#add(`epsilon_${snake(name)}_total`, value, dimensions);
  }

  duration(name: string, milliseconds: number, dimensions: Readonly<Record<string, string>> = {}): void {
    this.#add(`epsilon_${snake(name)}_milliseconds_sum`, milliseconds, dimensions);
    this.#add(`epsilon_${snake(name)}_milliseconds_count`, 1, dimensions);
  }

  #add(name: string, value: number, dimensions: Readonly<Record<string, string>>): void {
    const labels = Object.entries(dimensions).map(([key, text]) => `${key}=${JSON.stringify(text)}`);
    const key = labels.length === 0 ? name : `${name}{${labels.join(',')}}`;
    this.#values.set(key, (this.#values.get(key) ?? 0) + value);
  }

  /** Prometheus text exposition. */
  text(): string {
    return [...this.#values.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key} ${value}\n`)
      .join('');
  }
}

function snake(name: string): string {
  return name.replace(/(?<=[a-z0-9])([A-Z])/g, '_$1').toLowerCase();
}
