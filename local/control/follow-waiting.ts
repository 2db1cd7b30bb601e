import { get } from 'node:http';
import { z } from 'zod';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { type Condition, conditionCodes, overText, type Waiting } from '../host/outside.ts';

/** Milliseconds between two looks at what a control plane waits for. */
const lookEvery = 1_000;

const health = z.object({
  waitingFor: z.array(z.object({ code: z.enum(conditionCodes), text: z.string() })),
});

/** What the control plane behind a socket waits for; undefined where it does not say. */
function look(socketPath: string): Promise<readonly Condition[] | undefined> {
  return new Promise((resolve) => {
    const asked = get({ socketPath, path: '/healthz', timeout: lookEvery }, (response) => {
      let body = '';
      response.on('data', (piece: Buffer) => {
        body += piece.toString();
      });
      response.on('error', () => resolve(undefined));
      response.on('end', () => {
        try {
          const checked = checkSchema(health, JSON.parse(body));
          resolve(checked.success ? checked.data.waitingFor : undefined);
        } catch {
          resolve(undefined);
        }
      });
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
  });
}

/** Where the conditions are seen, and whom they are reported to. */
export interface Following {
  readonly socketPath: string;
  readonly clock: Clock;
  readonly report: (waiting: Waiting) => void;
}

/** Reports, once each, what the control plane behind a socket begins to wait for and when that is over; gives what ends the looking. */
export function followWaiting({ socketPath, clock, report }: Following): () => void {
  let known: readonly Condition[] = [];
  let closed = false;
  let timer: { cancel(): void } | undefined;
  const turn = async () => {
    const now = await look(socketPath);
    if (closed) return;
    if (now) {
      for (const { code } of known)
        if (!now.some((one) => one.code === code)) report({ code, phase: 'over', text: overText(code) });
      for (const one of now)
        if (!known.some(({ code }) => code === one.code)) report({ ...one, phase: 'begun' });
      known = now;
    }
    timer = clock.setTimer(lookEvery, () => void turn());
  };
  void turn();
  return () => {
    closed = true;
    timer?.cancel();
  };
}
