import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** The beginning of a text of at most so many characters as people count them, cut between words where there are any. */
export function shortened(text: string, most: number): string {
  const characters = [...new Intl.Segmenter('und').segment(text)].map(({ segment }) => segment);
  if (characters.length <= most) return text;
  const cut = characters.slice(0, most - 1).join('');
  const blank = cut.lastIndexOf(' ');
  return `${blank > cut.length / 2 ? cut.slice(0, blank) : cut}…`;
}

/** Lines that are copied as they are: JSON, and commands to type next (indented by four blanks). */
const verbatim = /^(\s*["{}[\]]| {4}\S)/;

function foldLine(line: string, columns: number): string {
  if (verbatim.test(line) || stringWidth(line) <= columns) return line;
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const hanging = `${indent}  `;
  const [first = '', ...rest] = wrapAnsi(line.slice(indent.length), columns - hanging.length, {
    hard: false,
    trim: true,
  }).split('\n');
  return [`${indent}${first}`, ...rest.map((each) => `${hanging}${each}`)].join('\n');
}

/**
 * Text for a terminal of a width: long lines are folded between words, which a terminal does not do. A word that is longer
 * than the terminal stays whole. Text that goes elsewhere (no width) stays as it is.
 */
export function folded(text: string, columns: number | undefined): string {
  if (columns === undefined || columns < 20) return text;
  return text
    .split('\n')
    .map((line) => foldLine(line, columns))
    .join('\n');
}
