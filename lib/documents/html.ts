import { Parser } from 'htmlparser2';

/** Elements whose content nobody reads. */
const unread: ReadonlySet<string> = new Set(['script', 'style', 'template', 'noscript', 'svg', 'iframe']);

/** Elements that stand between words but end no paragraph; every other one that is not inline does. */
const inline: ReadonlySet<string> = new Set(
  'a abbr b bdi bdo cite code data del dfn em font i ins kbd label mark q s samp small span strong sub sup time tt u var wbr'.split(
    ' ',
  ),
);

/** The text that a reader of an HTML page sees, its title first; entities decoded, broken markup taken as browsers do. */
export function htmlText(html: string): string {
  const parts: string[] = [];
  let hidden = 0;
  const parser = new Parser(
    {
      onopentag: (name) => {
        if (unread.has(name)) hidden += 1;
        else if (name === 'br') parts.push('\n');
        else if (name === 'td' || name === 'th') parts.push(' ');
        else if (!inline.has(name)) parts.push('\n\n');
      },
      onclosetag: (name) => {
        if (unread.has(name)) hidden = Math.max(0, hidden - 1);
        else if (!inline.has(name) && name !== 'br' && name !== 'td' && name !== 'th') parts.push('\n\n');
      },
      // A line end in the source is a blank to a reader.
      ontext: (text) => {
        if (hidden === 0) parts.push(text.replace(/\s+/g, ' '));
      },
    },
    { decodeEntities: true },
  );
  parser.write(html);
  parser.end();
  return parts.join('').replace(/\n +/g, '\n');
}
