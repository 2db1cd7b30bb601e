/** A string of JSON that is whole, with its quotes. */
const whole = /"(?:[^"\\]|\\.)*"/g;

/** The ids of an index's rows, in order: strings of a JSON array, however it is broken into lines, read piece by piece. */
export async function* readRowIds(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let held = '';
  for await (const piece of pieces) {
    held += decoder.decode(piece, { stream: true });
    let end = 0;
    for (const { 0: found, index } of held.matchAll(whole)) {
      end = index + found.length;
      yield found.includes('\\') ? (JSON.parse(found) as string) : found.slice(1, -1);
    }
    held = held.slice(end);
  }
}
