import { appendFileSync } from 'node:fs';
import { traceFields } from '../lib/event-schemas/trace-fields.ts';
import { type Clock, isoNow } from '../lib/ports/clock.ts';
import type { Log } from '../lib/ports/log.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Log lines as JSON, one a line, to wherever `write` puts them; those of an invocation carry its trace fields. */
export function jsonLog(clock: Clock, write: (line: string) => void, fields: Fields = {}): Log {
  const line =
    (level: string) =>
    (message: string, more: Fields = {}) =>
      write(
        `${JSON.stringify({ timestamp: isoNow(clock), level, message, ...traceFields(), ...fields, ...more })}\n`,
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
