import ts from 'typescript';
import { placeOf } from './program.ts';

/** A parameter that holds ports. */
type PortsParameter = ts.ParameterDeclaration;

function unfollowable(node: ts.Node): Error {
  return new Error(
    `${placeOf(node)}: ports are used here in a way that this check cannot follow: ${node.parent.getText()}`,
  );
}

/** The function that a callee names, wherever it is declared. */
function functionOf(callee: ts.Expression, checker: ts.TypeChecker): ts.SignatureDeclaration | undefined {
  let symbol = checker.getSymbolAtLocation(callee);
  if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
  const declared = symbol?.valueDeclaration;
  if (declared && ts.isFunctionDeclaration(declared) && declared.body) return declared;
  const value = declared && ts.isVariableDeclaration(declared) ? declared.initializer : undefined;
  return value && (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) ? value : undefined;
}

/** Names that a pattern takes out of the ports. */
function namesTaken(pattern: ts.ObjectBindingPattern): string[] {
  return pattern.elements.map((element) => {
    const { propertyName, name, dotDotDotToken } = element;
    const taken = propertyName ?? name;
    if (dotDotDotToken || !ts.isIdentifier(taken)) throw unfollowable(element);
    return taken.text;
  });
}

/** The parameter that an argument becomes. */
function parameterOf(
  call: ts.CallExpression,
  argument: ts.Expression,
  checker: ts.TypeChecker,
): PortsParameter {
  const index = call.arguments.indexOf(argument);
  const parameter = functionOf(call.expression, checker)?.parameters[index];
  if (!parameter || parameter.dotDotDotToken) throw unfollowable(argument);
  return parameter;
}

/** What one mention of the ports comes to: ports used here, or the parameter of a function that they are given to. */
function useAt(mention: ts.Identifier, checker: ts.TypeChecker): string[] | PortsParameter {
  const { parent } = mention;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === mention) {
    const [{ text: port }, next] = [parent.name, parent.parent];
    const backend = port === 'jobs' && ts.isPropertyAccessExpression(next) && next.expression === parent;
    return [backend ? `jobs.${next.name.text}` : port];
  }
  if (
    ts.isVariableDeclaration(parent) &&
    parent.initializer === mention &&
    ts.isObjectBindingPattern(parent.name)
  )
    return namesTaken(parent.name);
  if (ts.isCallExpression(parent)) return parameterOf(parent, mention, checker);
  if (ts.isSpreadAssignment(parent) && ts.isCallExpression(parent.parent.parent))
    return parameterOf(parent.parent.parent, parent.parent, checker);
  throw unfollowable(mention);
}

function mentionsOf(parameter: PortsParameter, checker: ts.TypeChecker): ts.Identifier[] {
  const symbol = checker.getSymbolAtLocation(parameter.name);
  const found: ts.Identifier[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node !== parameter.name) {
      const own = ts.isShorthandPropertyAssignment(node.parent)
        ? checker.getShorthandAssignmentValueSymbol(node.parent)
        : checker.getSymbolAtLocation(node);
      if (own === symbol) found.push(node);
    }
    node.forEachChild(visit);
  };
  visit(parameter.parent);
  return found;
}

/**
 * The ports that a function uses of those it is given as `first`, itself or through the functions that it gives them to:
 * `runs`, `jobs` (any backend), `jobs.batch` (that one only). Throws, with the place, where ports go a way that cannot be
 * followed: stored, returned, or given to a function without a body.
 */
export function portsUsed(first: PortsParameter, checker: ts.TypeChecker): Set<string> {
  const used = new Set<string>();
  const seen = new Set([first]);
  for (const parameter of seen) {
    if (ts.isObjectBindingPattern(parameter.name)) {
      for (const name of namesTaken(parameter.name)) used.add(name);
      continue;
    }
    for (const mention of mentionsOf(parameter, checker)) {
      const use = useAt(mention, checker);
      if (Array.isArray(use)) for (const name of use) used.add(name);
      else seen.add(use);
    }
  }
  return used;
}

/** Whether a port that is brought (`runs`, `jobs.batch`) is among those used. */
export function isUsed(brought: string, used: ReadonlySet<string>): boolean {
  return used.has(brought) || used.has(brought.split('.')[0] ?? '');
}
