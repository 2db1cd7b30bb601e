/** Longest word that is looked at, in UTF-16 units. */
const longest = 30;

/** Scripts that are written without blanks between words. */
const withoutBlanks =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';

/** Letters, digits, and what belongs to them: combining marks and the joiners of Indic and Persian spelling. */
const inner = '[\\p{L}\\p{N}\\p{M}\\u200c\\u200d]';

/** A run of letters and digits, with single "_", "-", "." inside. */
const words = new RegExp(`[\\p{L}\\p{N}]${inner}*(?:[_.-][\\p{L}\\p{N}]${inner}*)*`, 'gu');

const needsSegments = new RegExp(`[${withoutBlanks}]`, 'u');

let segmenter: Intl.Segmenter | undefined;

/**
 * One form for all spellings of a word: composed (NFC), lower case, the dotted and the dotless i of Turkish alike, final sigma as
 * any sigma. Documents and questions go through the same.
 */
function fold(text: string): string {
  const lower = text.normalize('NFC').toLowerCase();
  return /ı|ς|\u0307/.test(lower)
    ? lower.replaceAll('i\u0307', 'i').replaceAll('ı', 'i').replaceAll('ς', 'σ')
    : lower;
}

/** Words of a run in a script without blanks, by ICU's dictionaries. */
function* segmentsOf(run: string): Generator<string> {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  for (const { segment, isWordLike } of segmenter.segment(run)) if (isWordLike) yield segment;
}

/** Words of a text, folded, in order: runs of letters and digits, and of scripts without blanks the words in them. */
export function tokenize(text: string): string[] {
  const found: string[] = [];
  const folded = fold(text);
  for (const [run] of folded.matchAll(words)) {
    // ASCII is by far the most frequent and needs no second look.
    if (run.length <= longest && !needsSegments.test(run)) {
      if (run.length >= 2) found.push(run);
    } else if (needsSegments.test(run)) {
      for (const word of segmentsOf(run))
        if (word.length <= longest && (word.length >= 2 || needsSegments.test(word))) found.push(word);
    }
  }
  return found;
}
