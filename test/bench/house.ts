import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

/** Folders of sources, now and in earlier checkouts. */
const sources = /^(lib|functions|local|cli|workload|watcher|infra|serving)\/.*\.ts$/;

/** One file of sources, and what of it is counted. */
interface Source {
  readonly path: string;
  readonly lines: number;
  readonly functions: readonly number[];
  readonly casts: number;
  readonly anys: number;
  readonly nonNulls: number;
  /** Files of the project that it imports or exports from, types included. */
  readonly imports: readonly string[];
}

/** The checkout that is measured: `--house FOLDER`, or this one. */
function folder(): string {
  const at = process.argv.indexOf('--house');
  return at < 0 ? '.' : (process.argv[at + 1] ?? '.');
}

const tracked = (root: string): string[] =>
  execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);

/** Functions that count: with a name, or longer than three lines. */
function functionLines(node: ts.Node, file: ts.SourceFile): number | undefined {
  if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return undefined;
  const line = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  const lines = line(node.end) - line(node.getStart(file)) + 1;
  return node.name !== undefined || lines > 3 ? lines : undefined;
}

const isConst = (node: ts.AsExpression) => node.type.getText() === 'const';

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node))
    return node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)
      ? node.moduleSpecifier.text
      : undefined;
  const isImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const [argument] = isImport ? node.arguments : [];
  return argument && ts.isStringLiteral(argument) ? argument.text : undefined;
}

function read(root: string, path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = { functions: [] as number[], casts: 0, anys: 0, nonNulls: 0, imports: [] as string[] };
  const visit = (node: ts.Node): void => {
    const lines = functionLines(node, file);
    if (lines !== undefined) found.functions.push(lines);
    if (ts.isAsExpression(node) && !isConst(node)) found.casts += 1;
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.anys += 1;
    if (ts.isNonNullExpression(node)) found.nonNulls += 1;
    const specifier = specifierOf(node);
    if (specifier?.startsWith('.')) found.imports.push(normalize(join(dirname(path), specifier)));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, lines: text.split('\n').length - 1, ...found };
}

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { median: at(0.5), p90: at(0.9), p99: at(0.99), max: sorted.at(-1) };
}

type Arrows = ReadonlyMap<string, ReadonlySet<string>>;

/** Rooms and what they import of each other. */
function arrowsOf(files: readonly Source[], roomOf: (path: string) => string): Arrows {
  const arrows = new Map<string, Set<string>>();
  const known = new Set(files.map(({ path }) => path));
  for (const { path, imports } of files) {
    const to = arrows.get(roomOf(path)) ?? new Set();
    arrows.set(roomOf(path), to);
    for (const other of imports)
      if (known.has(other) && roomOf(other) !== roomOf(path)) to.add(roomOf(other));
  }
  return arrows;
}

/** Everything that can be reached from a room. */
function reachedFrom(arrows: Arrows, from: string): Set<string> {
  const reached = new Set<string>();
  const next = [from];
  for (let room = next.pop(); room !== undefined; room = next.pop())
    for (const other of arrows.get(room) ?? [])
      if (!reached.has(other)) {
        reached.add(other);
        next.push(other);
      }
  return reached;
}

/** Rooms, arrows between them, and how many rooms are in a circle. */
function plan(arrows: Arrows) {
  const count = [...arrows.values()].reduce((sum, { size }) => sum + size, 0);
  const inCircles = [...arrows.keys()].filter((room) => reachedFrom(arrows, room).has(room)).length;
  return { rooms: arrows.size, arrows: count, arrowsPerRoom: count / arrows.size, inCircles };
}

/** The shortest way by imports from a file to one whose path matches; the files on it. */
function walk(arrows: Arrows, from: string, to: RegExp): readonly string[] {
  const ways: string[][] = [[from]];
  const seen = new Set([from]);
  for (const way of ways) {
    const last = way.at(-1) ?? from;
    if (to.test(last)) return way;
    for (const other of arrows.get(last) ?? [])
      if (!seen.has(other)) {
        seen.add(other);
        ways.push([...way, other]);
      }
  }
  return [];
}

/** A folder with more files than this is no room: each file in it is one. */
const mostInRoom = 30;

const submits = /(^|\/)submit-stage\.ts$/;
const callsBatch = /(^|\/)batch-calls\.ts$/;

/** How the code is built, by counting; `--house FOLDER` counts another checkout, an earlier commit for one. */
export async function benchHouse(): Promise<Record<string, unknown>> {
  const root = folder();
  const paths = tracked(root);
  const files = paths.filter((path) => sources.test(path)).map((path) => read(root, path));
  const sum = (of: (one: Source) => number) => files.reduce((total, one) => total + of(one), 0);
  const lines = sum((one) => one.lines);
  const engine = files.filter(({ path }) => path.startsWith('local/asl/'));
  const sizes = Map.groupBy(files, ({ path }) => dirname(path));
  const roomOf = (path: string) =>
    (sizes.get(dirname(path))?.length ?? 0) > mostInRoom ? path : dirname(path);
  const declared = paths.filter((path) => /^(infra\/serverless|events)\/.*\.yml$/.test(path));
  const entry = files.find(({ path }) => submits.test(path))?.path ?? '';
  const byFile = arrowsOf(files, (path) => path);
  return {
    files: files.length,
    lines,
    linesOfFile: spread(files.map((one) => one.lines)),
    linesOfFunction: spread(files.flatMap((one) => one.functions)),
    casts: sum((one) => one.casts),
    castsPerThousandLines: (sum((one) => one.casts) / lines) * 1000,
    any: sum((one) => one.anys),
    nonNull: sum((one) => one.nonNulls),
    folders: plan(arrowsOf(files, roomOf)),
    filesInCircles: plan(byFile).inCircles,
    engineRooms: plan(arrowsOf(engine, roomOf)),
    linesOfYaml: declared.reduce(
      (total, path) => total + readFileSync(join(root, path), 'utf8').split('\n').length - 1,
      0,
    ),
    importsFromEntryToAdapter: walk(byFile, entry, callsBatch),
  };
}
