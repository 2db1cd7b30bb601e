import { type Output, schemaVersion } from './output.ts';
import { folded } from './prose.ts';

/** Prints one JSON document, or the text for people. */
export function print(output: Output, document: Readonly<Record<string, unknown>>, text: () => string): void {
  if (output.json) output.write(`${JSON.stringify({ schemaVersion, ...document }, null, 2)}\n`);
  else output.write(`${folded(text(), output.columns)}\n`);
}
