import { tokenize } from './tokens.ts';

/** A word without the commonest endings of English, with a mark that no word has: "caches", "cached" and "caching" are one. */
export function stemOf(word: string): string {
  let stem = word;
  if (stem.length > 4 && stem.endsWith('ies')) stem = `${stem.slice(0, -3)}y`;
  else if (stem.length > 3 && /[^su]s$/.test(stem)) stem = stem.slice(0, -1);
  if (stem.length > 5 && stem.endsWith('ing')) stem = stem.slice(0, -3);
  else if (stem.length > 4 && stem.endsWith('ed')) stem = stem.slice(0, -2);
  if (stem.length > 4 && stem.endsWith('e')) stem = stem.slice(0, -1);
  if (stem.length > 4 && /([^ls])\1$/.test(stem)) stem = stem.slice(0, -1);
  return `~${stem}`;
}

/** A text's words, each as it is and by its stem: who writes the very word is found before who writes a form of it. */
export function termsOf(text: string): string[] {
  return tokenize(text).flatMap((word) => [word, stemOf(word)]);
}

/** The words in the name of a document: its last part without the ending, "MockAgent" as two words. */
export function nameWordsOf(source: string): string[] {
  const last = source.slice(source.lastIndexOf('/') + 1).replace(/\.\w{1,8}$/, '');
  return tokenize(last.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').replace(/[-_]+/g, ' '));
}
