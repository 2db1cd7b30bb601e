const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text of anybody as text of HTML, also within an attribute in quotation marks. Control characters and those that turn the direction
 * of writing become spaces: they could make a page show what is not there.
 */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\P{Cc}\n\t]|\p{Cf}/gu, ' ')
    .replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
