import { Parser, Placeholders } from '../dynamodb/expressions.ts';
import type { MemoryDynamoDb, WireRequest } from '../dynamodb/memory-dynamodb.ts';
import type { Wire, WireItem } from '../dynamodb/values.ts';
import type { Footprint } from './footprint.ts';

/** What a request asks for, as far as it is looked at here. */
type Input = Readonly<Record<string, unknown>>;

/** One write, or one part of a transaction. */
interface Part {
  readonly verb: string;
  readonly key: WireItem;
  readonly fields: Input;
}

const text = (value: Wire | undefined) => (value && 'S' in value ? value.S : '');
const idOf = (key: WireItem) => `${text(key['pk'])}/${text(key['sk'])}`;

function partsOf(action: string, input: Input): Part[] {
  const single: Readonly<Record<string, string>> = {
    PutItem: 'Put',
    UpdateItem: 'Update',
    DeleteItem: 'Delete',
  };
  const one = (verb: string, fields: Input): Part => ({
    verb,
    key: (fields['Key'] ?? fields['Item']) as WireItem,
    fields,
  });
  const verb = single[action];
  if (verb) return [one(verb, input)];
  if (action !== 'TransactWriteItems') return [];
  return (input['TransactItems'] as Input[]).flatMap((item) =>
    Object.entries(item).map(([name, fields]) => one(name, fields as Input)),
  );
}

/** Kind of item: `RUN`, `ATTEMPT`, `LEASE`. */
function kindOf(key: WireItem): string {
  const [pk, sk] = [text(key['pk']), text(key['sk'])];
  if (sk.startsWith('STAGE#')) return 'ATTEMPT';
  if (pk === 'IMAGES') return 'IMAGE';
  if (sk === 'META' || pk.startsWith('CLAIM#')) return pk.split('#')[0] ?? '';
  return sk.split('#')[0] ?? '';
}

/** Attributes by placeholder put in, so that equal requests have equal names. */
const named = (expression: string, names: unknown) =>
  expression.replace(
    /#a\d+/g,
    (placeholder) => (names as Record<string, string> | undefined)?.[placeholder] ?? placeholder,
  );

/** A request in a few words. */
export function labelOf(action: string, input: Input): string {
  const parts = partsOf(action, input);
  if (parts.length > 0) return `${action} ${parts.map((part) => kindOf(part.key)).join('+')}`;
  if (action === 'Query') return `Query ${String(input['IndexName'] ?? 'partition')}`;
  if (action === 'GetItem') return `GetItem ${kindOf(input['Key'] as WireItem)}`;
  return action;
}

/** What a request touches. An index changes for readers when it catches up, which is a move of the surroundings. */
export function footprintOfRequest(action: string, input: Input): Footprint {
  const parts = partsOf(action, input);
  if (parts.length > 0) {
    const isCheck = ({ verb }: Part) => verb === 'ConditionCheck';
    return {
      reads: parts.filter(isCheck).map(({ key }) => idOf(key)),
      writes: [...parts.filter((part) => !isCheck(part)).map(({ key }) => idOf(key)), 'index'],
    };
  }
  if (action === 'GetItem') return { reads: [idOf(input['Key'] as WireItem)], writes: [] };
  if (action === 'BatchGetItem') {
    const asked = Object.values(input['RequestItems'] as Record<string, { Keys: WireItem[] }>);
    return { reads: asked.flatMap(({ Keys }) => Keys.map(idOf)), writes: [] };
  }
  if (action === 'Query' && input['IndexName'] === undefined) {
    const values = Object.values((input['ExpressionAttributeValues'] ?? {}) as Record<string, Wire>);
    return { reads: [`${text(values[0])}/`], writes: [] };
  }
  return action === 'Query' ? { reads: ['index'], writes: [] } : { reads: [], writes: ['*'] };
}

/** Conjuncts of a condition; what stands in brackets is one of them. */
function conjunctsOf(condition: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < condition.length; at += 1) {
    if (condition[at] === '(') depth += 1;
    if (condition[at] === ')') depth -= 1;
    if (depth === 0 && condition.startsWith(' AND ', at)) {
      found.push(condition.slice(from, at));
      from = at + 5;
    }
  }
  return [...found, condition.slice(from)];
}

/** A condition's name: who writes, what is written, and which of its attributes are compared. */
function nameOf(part: Part, conjunct: string, site: string): string {
  const plain = named(conjunct, part.fields['ExpressionAttributeNames']);
  const words = plain.match(/[A-Za-z]\w*/g) ?? [];
  const attributes = [...new Set(words)].filter((word) => !/^(attribute_\w+|AND|OR|IN|NOT|v\d+)$/.test(word));
  const kind = kindOf(part.key);
  // Keys are made in passing, by whoever seals the first token.
  return `${kind === 'KEY' ? '' : `${site}: `}${part.verb} ${kind} ${attributes.join(' and ')}`;
}

/** A request, and who makes it: function and method. */
interface AskedBy {
  readonly action: string;
  readonly input: Input;
  readonly site: string;
}

/** One conjunct and whether it holds for the item that stands there. */
export interface ConditionSeen {
  readonly name: string;
  readonly holds: boolean;
}

/** All conjuncts of a request's conditions, with their verdicts at this moment. */
export function conditionsOf({ action, input, site }: AskedBy, dynamo: MemoryDynamoDb): ConditionSeen[] {
  return partsOf(action, input).flatMap((part) => {
    const condition = part.fields['ConditionExpression'];
    if (typeof condition !== 'string') return [];
    const { pk, sk } = part.key;
    const found = dynamo.table.get({ pk: pk as Wire, sk: sk as Wire });
    // Whatever its condition, it deletes nothing.
    if (part.verb === 'Delete' && !found) return [];
    const item = found ?? {};
    const terms = new Placeholders(
      part.fields['ExpressionAttributeNames'] as Record<string, string>,
      part.fields['ExpressionAttributeValues'] as Record<string, Wire>,
    );
    return conjunctsOf(condition).map((conjunct) => ({
      name: nameOf(part, conjunct, site),
      holds: new Parser(conjunct, terms).condition()(item),
    }));
  });
}

/** The condition without one of its conjuncts; its placeholders stay used, as DynamoDB demands. */
function without(part: Part, out: string, site: string): string | undefined {
  const condition = part.fields['ConditionExpression'];
  if (typeof condition !== 'string') return undefined;
  const conjuncts = conjunctsOf(condition);
  if (!conjuncts.some((conjunct) => nameOf(part, conjunct, site) === out)) return undefined;
  return conjuncts
    .map((conjunct) => (nameOf(part, conjunct, site) === out ? `(${conjunct} OR NOT ${conjunct})` : conjunct))
    .join(' AND ');
}

/** The request with the condition taken out that is named, or as it is. */
export function taken(
  request: WireRequest,
  { action, input, site, out }: AskedBy & { readonly out: string | undefined },
): WireRequest {
  if (out === undefined) return request;
  let found = false;
  for (const part of partsOf(action, input)) {
    const condition = without(part, out, site);
    if (condition === undefined) continue;
    found = true;
    Object.assign(part.fields, { ConditionExpression: condition });
  }
  return found
    ? { ...request, headers: request.headers, body: new TextEncoder().encode(JSON.stringify(input)) }
    : request;
}
