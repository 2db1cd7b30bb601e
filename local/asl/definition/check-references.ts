import { referencesIn } from '../jsonata/references.ts';
import type { Node } from '../jsonata/syntax-tree.ts';

/** Fields of `$states` that exist in every field of a state. */
const everywhere = ['input', 'context'];

const where: Readonly<Record<string, string>> = {
  result: 'it is there in Output and Assign of a Task, Parallel or Map',
  errorOutput: 'it is there in Output and Assign of a Catch entry',
};

/** What an expression refers to that does not exist where it is written; each message says what is right. */
export function missingReferences(tree: Node, sees: readonly string[]): string[] {
  const { topLevel, root, statesFields } = referencesIn(tree);
  return [
    ...(root ? ['$$ is not supported: there is no input document; read $states.input'] : []),
    ...topLevel.map((name) =>
      name === '$'
        ? 'a reference to $ at the top level is not supported: read $states.input or a variable'
        : `a reference to ${name} at the top level is not supported: read $states.input.${name} or $${name}`,
    ),
    ...statesFields
      .filter((field) => ![...everywhere, ...sees].includes(field))
      .map(
        (field) =>
          `$states.${field} does not exist here: ${(Object.hasOwn(where, field) && where[field]) || '$states has input, context, result and errorOutput'}`,
      ),
  ];
}
