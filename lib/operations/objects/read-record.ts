import type { z } from 'zod';
import { checkSchema } from '../../errors/check-schema.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

/** A record that is an object: where it is, what it has to be, and how it is called when it is something else. */
export interface RecordPlace<T> {
  readonly uri: string;
  readonly schema: z.ZodType<T>;
  readonly code: string;
  /** As in "... is no month of a bill". */
  readonly what: string;
}

/** Reads a record kept as JSON in an object; undefined while there is none. Error: the place's own code. */
export async function readRecord<T>(
  { objects }: { readonly objects: Pick<ObjectStore, 'get'> },
  { uri, schema, code, what }: RecordPlace<T>,
): Promise<T | undefined> {
  let text: string;
  try {
    text = new TextDecoder().decode(await objects.get(uri));
  } catch (error) {
    if (error instanceof EpsilonError && error.code === 'OBJECT_NOT_FOUND') return undefined;
    throw error;
  }
  const parsed = checkSchema(schema, jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new EpsilonError(code, `${uri} is no ${what}; delete it to go on.`, {
    exitCode: exitCodes.backend,
    details: { uri },
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
