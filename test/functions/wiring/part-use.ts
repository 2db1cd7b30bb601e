import ts from 'typescript';
import { isUsed, portsUsed } from './port-uses.ts';
import { placeOf, sourceOf } from './program.ts';

/** What a function is wired with, beside what it uses. */
export interface PartUse {
  /** The Serverless function key. */
  readonly name: string;
  /** Names of its parts. */
  readonly parts: readonly string[];
  /** Ports it uses, itself or through operations. */
  readonly used: readonly string[];
  /** Parts of whose ports it uses none. */
  readonly unused: readonly string[];
}

function callsOf(source: ts.SourceFile, callee: string): ts.CallExpression[] {
  const found: ts.CallExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === callee) found.push(node);
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

/** The value of a property of an object literal, whether it is written out or shorthand; a constant's is its initializer. */
function propertyOf(
  literal: ts.ObjectLiteralExpression,
  name: string,
  checker: ts.TypeChecker,
): ts.Expression {
  const property = literal.properties.find((each) => each.name?.getText() === name);
  if (property && ts.isPropertyAssignment(property)) return property.initializer;
  const symbol =
    property && ts.isShorthandPropertyAssignment(property)
      ? checker.getShorthandAssignmentValueSymbol(property)
      : undefined;
  const declared = symbol?.valueDeclaration;
  if (declared && ts.isVariableDeclaration(declared) && declared.initializer) return declared.initializer;
  throw new Error(`${placeOf(literal)}: no "${name}" that this check can read.`);
}

/** The ports a part brings, from its type argument: `runs`, or of job runners `jobs.batch`. */
function broughtBy(part: ts.Expression, checker: ts.TypeChecker): string[] {
  const [ports] = checker.getTypeAtLocation(part).aliasTypeArguments ?? [];
  const brought = (ports?.getProperties() ?? []).flatMap((port) =>
    port.name === 'jobs'
      ? checker
          .getTypeOfSymbol(port)
          .getProperties()
          .map((backend) => `jobs.${backend.name}`)
      : [port.name],
  );
  if (brought.length === 0)
    throw new Error(`${placeOf(part)}: ${part.getText()} does not say which ports it brings.`);
  return brought;
}

function factoryParameter(
  create: ts.Expression,
  checker: ts.TypeChecker,
): ts.ParameterDeclaration | undefined {
  const declared = checker.getSymbolAtLocation(create)?.valueDeclaration;
  if (!declared || !ts.isFunctionDeclaration(declared))
    throw new Error(`${placeOf(create)}: ${create.getText()} is no function of this file.`);
  return declared.parameters[0];
}

/** Reads the one `defineHandler` of a file of functions/; throws where there is none, or something cannot be followed. */
export function partUseOf(program: ts.Program, file: string): PartUse {
  const checker = program.getTypeChecker();
  const [call, ...more] = callsOf(sourceOf(program, file), 'defineHandler');
  const definition = call?.arguments[0];
  if (!definition || !ts.isObjectLiteralExpression(definition) || more.length > 0)
    throw new Error(`${file} does not call defineHandler once, with an object.`);
  const name = propertyOf(definition, 'name', checker);
  const written = propertyOf(definition, 'aws', checker);
  const list = ts.isAsExpression(written) ? written.expression : written;
  if (!ts.isStringLiteral(name) || !ts.isArrayLiteralExpression(list))
    throw new Error(`${file}: the name is no string, or the parts are no list.`);
  const parameter = factoryParameter(propertyOf(definition, 'create', checker), checker);
  const used = parameter ? portsUsed(parameter, checker) : new Set<string>();
  return {
    name: name.text,
    parts: list.elements.map((part) => part.getText()),
    used: [...used].sort(),
    unused: list.elements
      .filter((part) => !broughtBy(part, checker).some((port) => isUsed(port, used)))
      .map((part) => part.getText()),
  };
}

/** Ports that a file of lib/operations asks for, and those of them that none of its functions uses. */
export interface Asking {
  readonly asked: readonly string[];
  readonly unused: readonly string[];
}

/** The ports in the type of a parameter: properties that `Ports` declares, however the type picks them. */
function portsIn(parameter: ts.ParameterDeclaration, checker: ts.TypeChecker): string[] {
  const ofPorts = ({ parent }: ts.Declaration) =>
    ts.isInterfaceDeclaration(parent) && /^(Base)?Ports$/.test(parent.name.text);
  const properties = checker.getTypeAtLocation(parameter).getProperties();
  return properties.filter(({ declarations }) => declarations?.some(ofPorts)).map(({ name }) => name);
}

/** Reads what the functions of a file ask for with parameters whose type is made of `Ports`. */
export function askingOf(program: ts.Program, file: string): Asking {
  const checker = program.getTypeChecker();
  const [asked, used] = [new Set<string>(), new Set<string>()];
  const visit = (node: ts.Node): void => {
    const ports = ts.isParameter(node) ? portsIn(node, checker) : [];
    for (const name of ports) asked.add(name);
    if (ts.isParameter(node) && ports.length > 0)
      for (const name of portsUsed(node, checker)) used.add(name.split('.')[0] ?? name);
    node.forEachChild(visit);
  };
  visit(sourceOf(program, file));
  return { asked: [...asked].sort(), unused: [...asked].filter((name) => !used.has(name)).sort() };
}
