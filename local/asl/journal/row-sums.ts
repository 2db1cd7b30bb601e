import { crc32 } from 'node:zlib';

/** A column's value. */
export type Column = string | number | null;

/** Checksum of a row: its columns, which decide where it is found, and its body. */
export function sumOf(columns: readonly Column[], body: string): number {
  return crc32(body, crc32(JSON.stringify(columns)));
}

/** Columns that the checksum of a row of each table covers. */
export const columnsOf = {
  definitions: ['hash'],
  executions: ['key', 'arn', 'machine', 'status', 'map_run_arn', 'map_index'],
  events: ['execution', 'first', 'last'],
  threads: ['execution', 'id'],
  map_runs: ['arn', 'execution', 'status', 'inputs'],
} as const;

/** A table whose rows have checksums. */
export type Table = keyof typeof columnsOf;
