import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

/** Words of the language that the documents are in. */
const words = 60_000;

/** Words that a subject prefers, and how many subjects there are. */
const subjectWords = 200;
const subjects = 400;

/** Documents written at a time. */
const batch = 1_000;

const consonants = 'bcdfghjklmnprstvz';
const vowels = 'aeiou';

/** A word that can be said, another one for each number. */
function wordOf(number: number): string {
  let rest = number + 17;
  let word = '';
  while (rest > 0) {
    word += consonants[rest % consonants.length];
    rest = Math.floor(rest / consonants.length);
    word += vowels[(rest + number) % vowels.length];
  }
  return word;
}

/** Numbers from 0 to 1, the same for the same seed (Lehmer's generator, 2^31 - 1). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** One document of about 470 bytes: half of its words are of its subject, the others by Zipf's law. */
function documentOf(random: () => number, vocabulary: readonly string[]): string {
  const subject = Math.floor(random() * subjects);
  const count = 50 + Math.floor(random() * 30);
  const text = Array.from({ length: count }, () => {
    const ofSubject = random() < 0.5;
    const rank = ofSubject
      ? 500 + subject * 140 + Math.floor(subjectWords ** random()) - 1
      : Math.floor(words ** random()) - 1;
    return vocabulary[rank % words] ?? '';
  });
  return text.join(' ');
}

/** Writes so many bytes of JSONL, at least; the same for the same seed. Gives the number of documents. */
export async function writeDocuments(path: string, bytes: number, seed = 1): Promise<number> {
  const random = chance(seed);
  const vocabulary = Array.from({ length: words }, (_, number) => wordOf(number));
  const file = createWriteStream(path);
  let written = 0;
  let documents = 0;
  while (written < bytes) {
    let lines = '';
    for (let line = 0; line < batch && written + lines.length < bytes; line += 1) {
      lines += `${JSON.stringify({ id: documents, text: documentOf(random, vocabulary) })}\n`;
      documents += 1;
    }
    written += lines.length;
    if (!file.write(lines)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
  return documents;
}
