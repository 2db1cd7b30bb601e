import type { MiddlewareObj } from '@middy/core';
import type { z } from 'zod';
import { checkSchema } from '../errors/check-schema.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';

function pointer(path: readonly string[]): string {
  return path.length === 0 ? '/' : path.map((key) => `/${key}`).join('');
}

/** Replaces the event by its parsed form; throws `EVENT_SCHEMA` with a JSON pointer to the first fault. */
export function parseInput(schema: z.ZodType): MiddlewareObj<unknown, unknown> {
  return {
    before: async (request) => {
      const parsed = checkSchema(schema, request.event);
      if (parsed.success) {
        request.event = parsed.data;
        return;
      }
      const where = pointer(parsed.fault.path);
      throw new EpsilonError('EVENT_SCHEMA', `Event refused at ${where}: ${parsed.fault.sentence}.`, {
        details: { pointer: where },
      });
    },
  };
}
