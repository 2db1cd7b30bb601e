import { createHash } from 'node:crypto';

/** One passage of a tenant's documents. */
export interface Passage {
  /** First 16 hexadecimal digits of the SHA-256 of the text. */
  readonly id: string;
  /** The document it is from. */
  readonly source: string;
  readonly text: string;
}

/** Aim and bounds of a passage, in characters. */
const aim = 600;
const shortest = 40;

/** A character of these scripts says as much as three letters. */
const dense = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;

let wordCutter: Intl.Segmenter | undefined;
let characterCutter: Intl.Segmenter | undefined;

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Whether a piece is too short to say anything. */
function isCrumb(text: string): boolean {
  if (text.length >= shortest) return false;
  return text.length + 2 * (text.match(dense)?.length ?? 0) < shortest;
}

/** Where the text is cut next: at a blank, else between words, else between characters as people see them, never inside one. */
function cutOf(text: string): number {
  const blank = text.lastIndexOf(' ', aim);
  if (blank > shortest) return blank;
  const window = text.slice(0, aim + shortest);
  wordCutter ??= new Intl.Segmenter('und', { granularity: 'word' });
  const word = wordCutter.segment(window).containing(aim)?.index ?? aim;
  if (word > shortest) return word;
  characterCutter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  const character = characterCutter.segment(window).containing(aim)?.index ?? aim;
  if (character > shortest) return character;
  return /[\udc00-\udfff]/.test(text.charAt(aim)) ? aim - 1 : aim;
}

/**
 * Cuts a normalised document at blank lines into passages of about 600 characters. Crumbs are left out, unless the document is
 * nothing else: then it is one passage.
 */
export function passagesOf(source: string, text: string): Passage[] {
  const passages: Passage[] = [];
  let held = '';
  const flush = () => {
    const body = held.trim();
    if (!isCrumb(body)) passages.push({ id: idOf(body), source, text: body });
    held = '';
  };
  for (const block of text.split(/\n\n+/)) {
    if (held.length > 0 && held.length + block.length > aim) flush();
    held += held === '' ? block : `\n\n${block}`;
    while (held.length > 2 * aim) {
      const at = cutOf(held);
      const rest = held.slice(at);
      held = held.slice(0, at);
      flush();
      held = rest;
    }
  }
  flush();
  if (passages.length === 0 && /[\p{L}\p{N}]/u.test(text)) {
    const body = text.slice(0, 2 * aim);
    passages.push({ id: idOf(body), source, text: body });
  }
  return passages;
}
