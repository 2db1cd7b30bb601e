import { expressionIn, type Template } from '../jsonata/template.ts';
import { isObject, type Json } from '../model/json.ts';
import { longestSeconds } from './bounds.ts';
import type { Compilation } from './compilation.ts';
import { type Source, templateOf, templatesOf } from './compile-fields.ts';
import { checkAssign, checkNumber, checkTarget, checkText } from './compile-literals.ts';
import { compileMap } from './compile-map.ts';
import { compileCatch, compileRetry } from './compile-recovery.ts';
import { compileTask } from './compile-task.ts';
import { parseInstant } from './instant.ts';
import type { ChoiceRule, State } from './machine.ts';

const common = ['Type', 'Comment', 'QueryLanguage', 'Next', 'End', 'Output', 'Assign'];

/** Common fields that a type of state does not have. */
const without: Readonly<Record<string, readonly string[]>> = {
  Succeed: ['Assign'],
  Fail: ['Assign', 'Output'],
};

/** Types of states that have a result, which their Output and Assign see. */
const resultful: ReadonlySet<string> = new Set(['Task', 'Parallel', 'Map']);

/** Fields each type of state may have beside the common ones. */
const fields: Readonly<Record<string, readonly string[]>> = {
  Task: ['Resource', 'Arguments', 'TimeoutSeconds', 'HeartbeatSeconds', 'Retry', 'Catch'],
  Pass: [],
  Choice: ['Choices', 'Default'],
  Wait: ['Seconds', 'Timestamp'],
  Succeed: [],
  Fail: ['Error', 'Cause'],
  Parallel: ['Arguments', 'Branches', 'Retry', 'Catch'],
  Map: [
    'Items',
    'ItemReader',
    'ItemSelector',
    'ItemBatcher',
    'ItemProcessor',
    'MaxConcurrency',
    'ToleratedFailurePercentage',
    'ToleratedFailureCount',
    'ResultWriter',
    'Label',
    'Retry',
    'Catch',
  ],
};

function compileRule(compilation: Compilation, entry: Json, path: string, within: string): ChoiceRule {
  const value = isObject(entry) ? entry : {};
  compilation.checkFields(value, ['Condition', 'Next', 'Output', 'Assign', 'Comment'], path);
  if (!isObject(entry)) compilation.invalid(path, 'must be an object');
  checkAssign(compilation, value['Assign'], `${path}.Assign`);
  checkTarget(compilation, value['Next'], `${path}.Next`);
  const condition = value['Condition'];
  if (
    typeof condition === 'string' ? expressionIn(condition) === undefined : typeof condition !== 'boolean'
  ) {
    compilation.invalid(`${path}.Condition`, 'must be a {% JSONata expression %} or a boolean');
  }
  return {
    condition: templateOf(compilation, condition ?? false, {
      path: `${path}.Condition`,
      location: `${within}Condition`,
    }) as Template,
    next: String(value['Next'] ?? ''),
    ...templatesOf(
      compilation,
      { name: '', raw: value, at: path, prefix: '', within },
      { output: 'Output', assign: 'Assign' },
    ),
  };
}

function flowOf(compilation: Compilation, { raw, at }: Source): { next?: string; end: boolean } {
  const { Next: next, End: end, Type: type } = raw;
  if (type === 'Choice' || type === 'Succeed' || type === 'Fail') {
    for (const field of ['Next', 'End'])
      if (raw[field] !== undefined) compilation.invalid(`${at}.${field}`, `a ${type} state has no ${field}`);
    return { end: type !== 'Choice' };
  }
  if (end !== undefined && typeof end !== 'boolean')
    compilation.invalid(`${at}.End`, 'must be true or false');
  else if ((next === undefined) === (end !== true))
    compilation.invalid(at, 'needs either Next or "End": true');
  if (next !== undefined && typeof next !== 'string')
    compilation.invalid(`${at}.Next`, 'must be the name of a state');
  return typeof next === 'string' ? { next, end: false } : { end: true };
}

/** Compiles one state; faults go to the compilation, and a state of an unknown type gives undefined. */
export function compileState(
  compilation: Compilation,
  name: string,
  value: Json,
  at: string,
  prefix: string,
): State | undefined {
  const raw = isObject(value) ? value : {};
  const type = String(raw['Type'] ?? '');
  const own = Object.hasOwn(fields, type) ? fields[type] : undefined;
  if (!own) {
    compilation.invalid(`${at}.Type`, `unknown type ${JSON.stringify(raw['Type'] ?? null)}`);
    return undefined;
  }
  if (raw['QueryLanguage'] !== undefined && raw['QueryLanguage'] !== 'JSONata')
    compilation.unsupported(`${at}.QueryLanguage`, 'only JSONata states run here');
  compilation.checkFields(raw, [...common.filter((field) => !without[type]?.includes(field)), ...own], at);
  checkAssign(compilation, raw['Assign'], `${at}.Assign`);
  const source: Source = { name, raw, at, prefix };
  const base = {
    name,
    ...flowOf(compilation, source),
    ...templatesOf(
      compilation,
      source,
      { output: 'Output', assign: 'Assign' },
      resultful.has(type) ? 'result' : 'nothing more',
    ),
    retry: compileRetry(compilation, source),
    catch: compileCatch(compilation, source),
  };
  switch (type) {
    case 'Task':
      return { ...base, ...compileTask(compilation, source) };
    case 'Map':
      return { ...base, ...compileMap(compilation, source) };
    case 'Parallel':
      return {
        ...base,
        type: 'Parallel',
        ...templatesOf(compilation, source, { arguments: 'Arguments' }),
        branches: branchesOf(compilation, source),
      };
    case 'Choice':
      if (raw['Default'] !== undefined) checkTarget(compilation, raw['Default'], `${at}.Default`);
      return {
        ...base,
        type: 'Choice',
        choices: rulesOf(compilation, source),
        ...(typeof raw['Default'] === 'string' ? { default: raw['Default'] } : {}),
      };
    case 'Wait':
      if ((raw['Seconds'] === undefined) === (raw['Timestamp'] === undefined))
        compilation.invalid(at, 'needs either Seconds or Timestamp');
      checkWait(compilation, source);
      return {
        ...base,
        type: 'Wait',
        ...templatesOf(compilation, source, { seconds: 'Seconds', timestamp: 'Timestamp' }),
      };
    case 'Fail':
      for (const field of ['Error', 'Cause']) checkText(compilation, raw[field], `${at}.${field}`);
      return {
        ...base,
        type: 'Fail',
        ...templatesOf(compilation, source, { error: 'Error', cause: 'Cause' }),
      };
    default:
      return { ...base, type: type as 'Pass' | 'Succeed' };
  }
}

function checkWait(compilation: Compilation, { raw, at }: Source): void {
  const { Seconds: seconds, Timestamp: timestamp } = raw;
  checkNumber(compilation, seconds, `${at}.Seconds`, { min: 0, max: longestSeconds });
  const plain =
    timestamp !== undefined && (typeof timestamp !== 'string' || expressionIn(timestamp) === undefined);
  if (plain && parseInstant(timestamp) === undefined)
    compilation.invalid(`${at}.Timestamp`, 'must be an ISO 8601 instant or an expression');
}

function rulesOf(compilation: Compilation, { raw, at }: Source): ChoiceRule[] {
  const list = Array.isArray(raw['Choices']) ? (raw['Choices'] as readonly Json[]) : [];
  if (list.length === 0) compilation.invalid(`${at}.Choices`, 'needs at least one rule');
  return list.map((entry, index) =>
    compileRule(compilation, entry, `${at}.Choices[${index}]`, `Choices[${index}]/`),
  );
}

function branchesOf(compilation: Compilation, { raw, at, name, prefix }: Source) {
  const list = Array.isArray(raw['Branches']) ? (raw['Branches'] as readonly Json[]) : [];
  if (list.length === 0) compilation.invalid(`${at}.Branches`, 'needs at least one branch');
  return list.map((entry, index) => {
    const value = isObject(entry) ? entry : {};
    if (!isObject(entry)) compilation.invalid(`${at}.Branches[${index}]`, 'must be an object');
    compilation.checkFields(value, ['StartAt', 'States', 'Comment'], `${at}.Branches[${index}]`);
    return compilation.block(value, `${prefix}${name}/${index}`, `${at}.Branches[${index}]`);
  });
}
