/** UTF-8 text; undefined when it is binary or in another encoding. */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The same text always in the same form: NFC, one kind of line end, no trailing blanks, no invisible marks. */
export function normaliseText(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\ufeff\u00ad]/g, '')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Whether a document is HTML: by its name, or because it begins as HTML does. */
export function isHtml(source: string, text: string): boolean {
  return /\.(html?|xhtml)$/i.test(source) || /^\s*(<!doctype html|<html[\s>])/i.test(text.slice(0, 1_000));
}
