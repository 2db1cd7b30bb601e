import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { tableRows } from './tables.ts';

const bounds = new Map(
  tableRows('docs/conventions.md', 'Budgets').map(([budget = '', bound]) => [budget, Number(bound)]),
);
const bound = (budget: string) => bounds.get(budget) ?? Number.NaN;
const sources = globSync('{lib,functions,local,cli,workload,watcher,infra}/**/*.ts');
const exemption = 'biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory;';

interface Rules {
  readonly complexity?: Readonly<Record<string, { readonly options?: Readonly<Record<string, number>> }>>;
  readonly style?: Readonly<Record<string, { readonly options?: Readonly<Record<string, number>> }>>;
}

interface Biome {
  readonly linter: { readonly rules: Rules };
  readonly overrides: readonly {
    readonly includes: readonly string[];
    readonly linter: { readonly rules: Rules };
  }[];
}

/** Words at the beginning of a name that are no subject: questions, conjunctions, and verbs that tests are fond of. */
const noSubject =
  /^[^:]+: (?:what|who|whose|how|where|why|when|while|after|before|with|without|for|in|on|is|are|was|has|have|does|do|should|it|reads?|writes?|gives?|takes?|keeps?|says|tells|shows|refuses?|accepts?|starts|stops|finds|makes|returns?|sends|lets|holds|counts|checks?|asks|adds?|lists) /;

/** Lines from a node's first to its last. */
function linesOf(node: ts.Node, file: ts.SourceFile): number {
  const line = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  return line(node.end) - line(node.getStart(file)) + 1;
}

/** Bodies of the outermost functions within a function. */
function functionsIn(node: ts.Node): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (child: ts.Node): void => {
    if (ts.isFunctionLike(child) && 'body' in child && child.body) found.push(child.body as ts.Node);
    else ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  return found;
}

/** Functions of a file that are exempt as factories: lines of their own, and of the longest function in them. */
function factoriesOf(path: string) {
  const text = readFileSync(path, 'utf8');
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const exempt = file.statements.filter(
    (statement) =>
      ts.isFunctionDeclaration(statement) && text.slice(statement.pos, statement.end).includes(exemption),
  );
  return exempt.map((statement) => {
    const lengths = functionsIn(statement).map((body) => linesOf(body, file));
    const own = linesOf(statement, file) - lengths.reduce((sum, lines) => sum + lines - 1, 0);
    return { path, own, longest: Math.max(0, ...lengths) };
  });
}

describe('docs/conventions.md', () => {
  const biome = JSON.parse(readFileSync('biome.json', 'utf8')) as Biome;
  const { complexity, style } = biome.linter.rules;
  const ofTests = biome.overrides.find(({ includes }) => includes.includes('test/**'))?.linter.rules.style;

  it.each([
    ['lines of a function', complexity?.['noExcessiveLinesPerFunction']?.options?.['maxLines']],
    ['lines of a source file', style?.['noExcessiveLinesPerFile']?.options?.['maxLines']],
    ['lines of a test file', ofTests?.['noExcessiveLinesPerFile']?.options?.['maxLines']],
    ['parameters of a function', complexity?.['useMaxParams']?.options?.['max']],
  ])('has the bound of the linter for %s', (budget, configured) => {
    expect(configured).toBeGreaterThan(0);
    expect(bound(budget)).toBe(configured);
  });

  it('bounds the folders above a source file', () => {
    expect(sources.length).toBeGreaterThan(300);
    const depth = (path: string) => path.split('/').length - 1;
    expect(sources.filter((path) => depth(path) > bound('folders above a source file'))).toEqual([]);
  });

  it('bounds the source files in a folder', () => {
    const folders = Map.groupBy(sources, dirname);
    const tooLarge = [...folders].filter(([, files]) => files.length > bound('source files in a folder'));
    expect(tooLarge.map(([folder, { length }]) => `${folder}: ${length}`)).toEqual([]);
  });

  it('exempts factories only: what is left without their functions keeps the budget, and so does each function', () => {
    const factories = sources.flatMap(factoriesOf);
    const written = sources.filter((path) =>
      readFileSync(path, 'utf8').includes('noExcessiveLinesPerFunction'),
    );
    expect(factories.map(({ path }) => path)).toEqual(written);
    const most = bound('lines of a function');
    expect(factories.filter(({ own, longest }) => own > most || longest > most)).toEqual([]);
  });

  it('lets the names of tests begin with their subject', () => {
    const openings = globSync('test/**/*.test.ts').flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/^(?:describe|it)(?:\.\w+)?\((?:'|`)([^'`]+)/gm)].map(
        ([, name = '']) => `${path}: ${name}`,
      ),
    );
    expect(openings.length).toBeGreaterThan(200);
    expect(openings.filter((opening) => noSubject.test(opening))).toEqual([]);
  });
});
