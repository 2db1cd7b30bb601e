import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Bills } from '../../lib/ports/bills.ts';

const line = z.object({ service: z.string(), usage: z.string(), usd: z.number(), quantity: z.number() });
const billSchema = z.array(z.object({ day: z.iso.date(), final: z.boolean(), lines: z.array(line) }));

/** A bill in a file, a list of days, for whoever pays for this host; empty while there is none. Nothing is paid for asking. */
export function fileBills(file: string): Bills {
  return {
    async daily(from, until) {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '[]';
        throw error;
      });
      const days = billSchema.parse(JSON.parse(text)).filter(({ day }) => day >= from && day < until);
      return { days: days.sort((one, other) => one.day.localeCompare(other.day)), requests: 0 };
    },
  };
}
