import { isObject, type Json } from '../model/json.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields that mean the same in both query languages, as long as they hold no expression. */
const neutral: ReadonlySet<string> = new Set(['Type', 'Comment', 'Next', 'End', 'Seconds', 'Error', 'Cause']);

/** A state that means the same in both languages: it selects nothing and makes nothing. */
function isNeutral(state: Fields): boolean {
  return Object.keys(state).every((field) => neutral.has(field)) && !JSON.stringify(state).includes('{%');
}

function blocksOf(state: Fields): readonly unknown[] {
  const branches = state['Branches'];
  return [state['ItemProcessor'], ...(Array.isArray(branches) ? branches : [])].filter(
    (block) => block !== undefined,
  );
}

function everyStateIs(block: unknown): boolean {
  const states = isObject(block as Json) ? (block as Fields)['States'] : undefined;
  if (!isObject(states as Json)) return false;
  return Object.values(states as Fields).every((state) => {
    if (!isObject(state as Json)) return false;
    const fields = state as Fields;
    return (
      (fields['QueryLanguage'] === 'JSONata' || isNeutral(fields)) && blocksOf(fields).every(everyStateIs)
    );
  });
}

/**
 * Whether a definition is in JSONata throughout: it says so itself, or its default is the service's (JSONPath) and each
 * state says so, those in branches and processors too, because a state does not inherit from the state around it.
 */
export function isJsonata(definition: Fields): boolean {
  const language = definition['QueryLanguage'];
  if (language === 'JSONata') return true;
  return (language === undefined || language === 'JSONPath') && everyStateIs(definition);
}
