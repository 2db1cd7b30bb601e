import { readFileSync } from 'node:fs';

/** Files that one recipe of CONTRIBUTING.md names, with `<area>` and the like as they stand there. */
export interface Recipe {
  /** Touched in any case, in order. */
  readonly steps: readonly string[];
  /** Touched only if a condition holds. */
  readonly conditional: readonly string[];
}

const files = (text: string) =>
  [...text.matchAll(/`([^`\s]+\/[^`\s]+|serverless\.yml)`/g)].map(([, file = '']) => file);

/** Entries of a list; a line that is indented continues the entry before it. */
function entries(section: string, mark: RegExp): string[] {
  const found: string[] = [];
  let open = false;
  for (const line of section.split('\n')) {
    if (mark.test(line)) {
      found.push(line.replace(mark, ''));
      open = true;
    } else if (open && /^\s+\S/.test(line)) found.push(`${found.pop() ?? ''} ${line.trim()}`);
    else open = false;
  }
  return found;
}

/** Recipes by the last word of their titles: `machine`, `function`, `port`, `area`, `stage`. */
export function readRecipes(file = 'CONTRIBUTING.md'): ReadonlyMap<string, Recipe> {
  const sections = readFileSync(file, 'utf8').split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const title = section.split('\n', 1)[0] ?? '';
      const steps = entries(section, /^\d+\. /).map((entry) => files(entry)[0] ?? entry);
      return [
        title.split(' ').at(-1) ?? '',
        { steps, conditional: entries(section, /^- If /).flatMap(files) },
      ];
    }),
  );
}

/** A recipe's file with the words in angle brackets filled in. */
export function filled(file: string, words: Readonly<Record<string, string>>): string {
  return file.replace(/<(\w+)>/g, (_, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`CONTRIBUTING.md: ${file}: nothing stands for <${word}>.`);
    return value;
  });
}
