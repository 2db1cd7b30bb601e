import { resolve } from 'node:path';
import ts from 'typescript';

/**
 * The program of some files and what they import of this project; packages are left out, which makes it ten times faster:
 * none says anything about ports. `planted` are files that exist for this program only, path to text.
 */
export function projectProgram(
  files: readonly string[],
  planted: Readonly<Record<string, string>> = {},
): ts.Program {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    strict: true,
    noEmit: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const texts = new Map(Object.entries(planted).map(([path, text]) => [resolve(path), text]));
  const { readFile, fileExists } = host;
  host.readFile = (path) => texts.get(resolve(path)) ?? readFile(path);
  host.fileExists = (path) => texts.has(resolve(path)) || fileExists(path);
  host.getSourceFile = (path, settings) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, settings);
  };
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => {
      if (!text.startsWith('.')) return { resolvedModule: undefined };
      const resolvedFileName = resolve(from, '..', text);
      return { resolvedModule: { resolvedFileName, extension: ts.Extension.Ts } };
    });
  const roots = [...files, ...texts.keys()].map((path) => resolve(path));
  return ts.createProgram(roots, options, host);
}

/** A file of a program; throws when there is none. */
export function sourceOf(program: ts.Program, path: string): ts.SourceFile {
  const source = program.getSourceFile(resolve(path));
  if (!source) throw new Error(`There is no ${path} in the program.`);
  return source;
}

/** `functions/area/file.ts:12`, for a message. */
export function placeOf(node: ts.Node): string {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return `${source.fileName.slice(resolve('.').length + 1)}:${line + 1}`;
}
