import { createHash } from 'node:crypto';
import type { Passage } from '../job/artifacts.ts';

/** Aim and bounds of a passage, in characters. */
const aim = 600;
const shortest = 40;

/** UTF-8 text of a document; undefined when it is binary or another encoding. */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The same text always in the same form: NFC, one kind of line end, no trailing blanks. */
export function normalise(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Cuts a normalised document at blank lines into passages of about 600 characters; crumbs are left out. */
export function passagesOf(source: string, text: string): Passage[] {
  const passages: Passage[] = [];
  let held = '';
  const flush = () => {
    const body = held.trim();
    if (body.length >= shortest) passages.push({ id: idOf(body), source, text: body });
    held = '';
  };
  for (const block of text.split(/\n\n+/)) {
    if (held.length > 0 && held.length + block.length > aim) flush();
    held += held === '' ? block : `\n\n${block}`;
    while (held.length > 2 * aim) {
      const cut = held.lastIndexOf(' ', aim);
      const at = cut > shortest ? cut : aim;
      const rest = held.slice(at);
      held = held.slice(0, at);
      flush();
      held = rest;
    }
  }
  flush();
  return passages;
}
