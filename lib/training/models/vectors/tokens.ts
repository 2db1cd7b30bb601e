/** Shortest and longest word that is looked at, in characters. */
const shortest = 2;
const longest = 30;

/** Words of a text, lower case: runs of letters and digits (with inner "_", "-", "."), in order. */
export function tokenize(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+(?:[_.-][\p{L}\p{N}]+)*/gu)) {
    if (word.length >= shortest && word.length <= longest) words.push(word);
  }
  return words;
}
