import type { MiddlewareObj } from '@middy/core';
import type { z } from 'zod';
import { EpsilonError } from '../errors/epsilon-error.ts';

function pointer(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '/' : path.map((key) => `/${String(key)}`).join('');
}

/** Replaces the event by its parsed form; throws `EVENT_SCHEMA` with a JSON pointer to the first fault. */
export function parseInput(schema: z.ZodType): MiddlewareObj<unknown, unknown> {
  return {
    before: async (request) => {
      const parsed = schema.safeParse(request.event);
      if (parsed.success) {
        request.event = parsed.data;
        return;
      }
      const issue = parsed.error.issues[0];
      const where = pointer(issue?.path ?? []);
      throw new EpsilonError(
        'EVENT_SCHEMA',
        `Event refused at ${where}: ${issue?.message ?? parsed.error.message}.`,
        {
          details: { pointer: where },
        },
      );
    },
  };
}
