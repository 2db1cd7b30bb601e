import { describe, expect, it } from 'vitest';
import { faultsOf } from '../../../../local/asl/definition/compile.ts';

type Fields = Readonly<Record<string, unknown>>;

const end = { Type: 'Pass', End: true };
const machine = (states: Fields, more: Fields = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: Object.keys(states)[0],
  States: states,
  ...more,
});
const one = (state: Fields) => machine({ S: { End: true, ...state } });
const pass = (more: Fields = {}) => one({ Type: 'Pass', ...more });
const call = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: { FunctionName: 'f' } };
const task = (more: Fields = {}) => one({ ...call, ...more });
const wait = (more: Fields) => one({ Type: 'Wait', ...more });
const retry = (more: Fields) => task({ Retry: [{ ErrorEquals: ['E'], ...more }] });
const caught = (more: Fields) =>
  machine({ S: { ...call, Catch: [{ ErrorEquals: ['E'], Next: 'N', ...more }], Next: 'N' }, N: end });
const choice = (rule: Fields, more: Fields = {}) =>
  machine({ S: { Type: 'Choice', Choices: [{ Condition: true, Next: 'N', ...rule }], ...more }, N: end });
const block = (states: Fields, more: Fields = {}) => ({
  StartAt: Object.keys(states)[0],
  States: states,
  ...more,
});
const map = (more: Fields = {}, states: Fields = { P: end }) =>
  one({ Type: 'Map', ItemProcessor: block(states), ...more });
const distributed = { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' };
const fan = (more: Fields = {}) =>
  one({ Type: 'Map', ItemProcessor: block({ P: end }, { ProcessorConfig: distributed }), ...more });
const reader = (more: Fields, config: Fields = { InputType: 'JSON' }) =>
  fan({ ItemReader: { Resource: 'arn:aws:states:::s3:getObject', ReaderConfig: config, ...more } });
const writer = (more: Fields) =>
  fan({ ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', ...more } });
const both = (states: Fields, more: Fields = {}) =>
  one({ Type: 'Parallel', Branches: [block(states)], ...more });
const name = (length: number) => 'n'.repeat(length);

/** One rule: what breaks it, where the fault is said to be, what it says is right, and what keeps it. */
type Rule = readonly [rule: string, broken: unknown, path: string, right: RegExp, kept: unknown];

/** The States Language specification (states-language.net), by its sections. */
const specification: readonly Rule[] = [
  // Top-level fields
  ['a machine has states', machine({}), 'States', /at least one/, pass()],
  ['StartAt names a state', { ...pass(), StartAt: 'X' }, 'StartAt', /names no state: "X"/, pass()],
  [
    'Version is 1.0',
    machine({ S: end }, { Version: '2.0' }),
    'Version',
    /"1\.0"/,
    machine({ S: end }, { Version: '1.0' }),
  ],
  [
    'TimeoutSeconds of a machine is a positive whole number',
    machine({ S: end }, { TimeoutSeconds: 0 }),
    'TimeoutSeconds',
    /positive whole number/,
    machine({ S: end }, { TimeoutSeconds: 1 }),
  ],
  [
    'a Comment is text',
    machine({ S: end }, { Comment: 1 }),
    'Comment',
    /must be text/,
    machine({ S: end }, { Comment: '{% x %}' }),
  ],
  [
    'a Comment of a state is text',
    pass({ Comment: {} }),
    'States.S.Comment',
    /must be text/,
    pass({ Comment: 'c' }),
  ],
  [
    'QueryLanguage is JSONata',
    machine({ S: end }, { QueryLanguage: 'jsonata' }),
    'QueryLanguage',
    /set "QueryLanguage": "JSONata"/,
    pass(),
  ],
  [
    'QueryLanguage of a state is JSONata',
    pass({ QueryLanguage: 'JSONPath' }),
    'States.S.QueryLanguage',
    /only JSONata/,
    pass({ QueryLanguage: 'JSONata' }),
  ],
  [
    'a processor has no QueryLanguage',
    one({ Type: 'Map', ItemProcessor: block({ P: end }, { QueryLanguage: 'JSONata' }) }),
    'States.S.ItemProcessor.QueryLanguage',
    /unknown field/,
    map(),
  ],
  // States
  ['a state is an object', machine({ S: 1 }), 'States.S.Type', /unknown type/, pass()],
  ['a Type is one of eight', one({ Type: 'Loop' }), 'States.S.Type', /unknown type "Loop"/, pass()],
  [
    'a name is used once',
    machine({ S: { Type: 'Parallel', Branches: [block({ S: end })], End: true } }),
    'States.S.Branches[0].States.S',
    /used once/,
    both({ P: end }),
  ],
  [
    'a state has Next or End',
    one({ Type: 'Pass', End: undefined }),
    'States.S',
    /either Next or "End": true/,
    pass(),
  ],
  [
    'a state has not both Next and End',
    machine({ S: { Type: 'Pass', Next: 'N', End: true }, N: end }),
    'States.S',
    /either/,
    machine({ S: { Type: 'Pass', Next: 'N', End: false }, N: end }),
  ],
  ['End is true or false', pass({ End: 'true' }), 'States.S.End', /true or false/, pass()],
  [
    'Next is a name',
    one({ Type: 'Pass', End: undefined, Next: 1 }),
    'States.S.Next',
    /name of a state/,
    machine({ S: { Type: 'Pass', Next: 'N' }, N: end }),
  ],
  [
    'Next names a state beside it',
    machine({ S: { Type: 'Pass', Next: 'X' }, N: end }),
    'States.S',
    /goes to "X"/,
    machine({ S: { Type: 'Pass', Next: 'N' }, N: end }),
  ],
  [
    'every state is reached',
    machine({ S: end, N: end }),
    'States.N',
    /never reached/,
    machine({ S: { Type: 'Pass', Next: 'N' }, N: end }),
  ],
  [
    'a machine has an end',
    machine({ S: { Type: 'Pass', Next: 'N' }, N: { Type: 'Pass', Next: 'S' } }),
    'States',
    /needs "End": true/,
    map({}, { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } }),
  ],
  ['a Choice has no End', choice({}, { End: true }), 'States.S.End', /has no End/, choice({})],
  [
    'a Succeed has no Next',
    machine({ S: { Type: 'Succeed', Next: 'N' }, N: end }),
    'States.S.Next',
    /has no Next/,
    machine({ S: { Type: 'Succeed' } }),
  ],
  [
    'a Succeed assigns nothing',
    machine({ S: { Type: 'Succeed', Assign: { a: 1 } } }),
    'States.S.Assign',
    /unknown field/,
    machine({ S: { Type: 'Succeed', Output: 1 } }),
  ],
  [
    'a Fail has no Output',
    machine({ S: { Type: 'Fail', Output: 1 } }),
    'States.S.Output',
    /unknown field/,
    machine({ S: { Type: 'Fail' } }),
  ],
  [
    'Error and Cause are text',
    machine({ S: { Type: 'Fail', Error: 1 } }),
    'States.S.Error',
    /text or an expression/,
    machine({ S: { Type: 'Fail', Error: 'E', Cause: '{% "c" %}' } }),
  ],
  ['a Pass has no Retry', pass({ Retry: [] }), 'States.S.Retry', /unknown field/, task({ Retry: [] })],
  [
    'a Wait has no Catch',
    wait({ Seconds: 1, Catch: [] }),
    'States.S.Catch',
    /unknown field/,
    task({ Catch: [] }),
  ],
  [
    'a Map has no TimeoutSeconds',
    map({ TimeoutSeconds: 1 }),
    'States.S.TimeoutSeconds',
    /unknown field/,
    task({ TimeoutSeconds: 1 }),
  ],
  // Wait
  [
    'a Wait has Seconds or Timestamp',
    wait({}),
    'States.S',
    /either Seconds or Timestamp/,
    wait({ Seconds: 0 }),
  ],
  [
    'a Wait has not both',
    wait({ Seconds: 1, Timestamp: '2027-01-01T00:00:00Z' }),
    'States.S',
    /either/,
    wait({ Timestamp: '2027-01-01T00:00:00Z' }),
  ],
  [
    'Seconds is a whole number',
    wait({ Seconds: 1.5 }),
    'States.S.Seconds',
    /whole number/,
    wait({ Seconds: '{% 1 %}' }),
  ],
  [
    'a Timestamp is an instant',
    wait({ Timestamp: '2027-01-01' }),
    'States.S.Timestamp',
    /ISO 8601/,
    wait({ Timestamp: '2027-01-01T00:00:00.123+02:00' }),
  ],
  [
    'a Timestamp is a day that exists',
    wait({ Timestamp: '2027-02-30T00:00:00Z' }),
    'States.S.Timestamp',
    /ISO 8601/,
    wait({ Timestamp: '2028-02-29T00:00:00Z' }),
  ],
  [
    'a Timestamp is a time that exists',
    wait({ Timestamp: '2027-01-01T24:00:00Z' }),
    'States.S.Timestamp',
    /ISO 8601/,
    wait({ Timestamp: '2027-01-01T23:59:59Z' }),
  ],
  [
    'a Timestamp is text',
    wait({ Timestamp: 1 }),
    'States.S.Timestamp',
    /ISO 8601/,
    wait({ Timestamp: '{% $now() %}' }),
  ],
  // Choice
  [
    'a Choice has rules',
    machine({ S: { Type: 'Choice', Choices: [], Default: 'N' }, N: end }),
    'States.S.Choices',
    /at least one rule/,
    choice({}),
  ],
  [
    'a rule has a Condition',
    choice({ Condition: 'true' }),
    'States.S.Choices[0].Condition',
    /expression %} or a boolean/,
    choice({ Condition: '{% true %}' }),
  ],
  [
    'a rule has a Next',
    choice({ Next: undefined }, { Default: 'N' }),
    'States.S.Choices[0].Next',
    /name of a state/,
    choice({}),
  ],
  [
    'Default is a name',
    choice({}, { Default: 1 }),
    'States.S.Default',
    /name of a state/,
    choice({}, { Default: 'N' }),
  ],
  // Task
  ['a Task has a Resource', task({ Resource: undefined }), 'States.S.Resource', /ARN/, task()],
  [
    'Arguments are an object',
    task({ Arguments: [1] }),
    'States.S.Arguments',
    /object or an expression/,
    task({ Arguments: '{% {"FunctionName": "f"} %}' }),
  ],
  [
    'TimeoutSeconds is positive',
    task({ TimeoutSeconds: 0 }),
    'States.S.TimeoutSeconds',
    /whole number from 1/,
    task({ TimeoutSeconds: '{% 1 %}' }),
  ],
  [
    'HeartbeatSeconds is smaller than TimeoutSeconds',
    task({ TimeoutSeconds: 5, HeartbeatSeconds: 5 }),
    'States.S.HeartbeatSeconds',
    /smaller than TimeoutSeconds/,
    task({ TimeoutSeconds: 5, HeartbeatSeconds: 4 }),
  ],
  // Parallel
  [
    'a Parallel has branches',
    one({ Type: 'Parallel', Branches: [] }),
    'States.S.Branches',
    /at least one branch/,
    both({ P: end }),
  ],
  [
    'a branch is an object',
    one({ Type: 'Parallel', Branches: [1] }),
    'States.S.Branches[0]',
    /must be an object/,
    both({ P: end }),
  ],
  [
    'a branch stays in itself',
    machine({
      S: { Type: 'Parallel', Branches: [block({ P: { Type: 'Pass', Next: 'N' } })], Next: 'N' },
      N: end,
    }),
    'States.S.Branches[0].States.P',
    /goes to "N"/,
    both({ P: end }),
  ],
  // Map
  ['a Map has an ItemProcessor', one({ Type: 'Map' }), 'States.S.ItemProcessor', /is needed/, map()],
  [
    'a Map has no Iterator',
    map({ Iterator: block({ Q: end }) }),
    'States.S.Iterator',
    /unknown field/,
    map(),
  ],
  [
    'Items are a list, an object or an expression',
    map({ Items: 'list' }),
    'States.S.Items',
    /list, an object or an expression/,
    map({ Items: [1, '{% 2 %}'] }),
  ],
  [
    'MaxConcurrency is not negative',
    map({ MaxConcurrency: -1 }),
    'States.S.MaxConcurrency',
    /from 0/,
    map({ MaxConcurrency: 9_007_199_254_740_991 }),
  ],
  [
    'ToleratedFailureCount is a whole number',
    map({ ToleratedFailureCount: 1.5 }),
    'States.S.ToleratedFailureCount',
    /whole number/,
    map({ ToleratedFailureCount: 1 }),
  ],
  [
    'ToleratedFailurePercentage is at most 100',
    fan({ ToleratedFailurePercentage: 101 }),
    'States.S.ToleratedFailurePercentage',
    /to 100/,
    map({ ToleratedFailurePercentage: 33.3 }),
  ],
  [
    'Mode is INLINE or DISTRIBUTED',
    one({ Type: 'Map', ItemProcessor: block({ P: end }, { ProcessorConfig: { Mode: 'X' } }) }),
    'States.S.ItemProcessor.ProcessorConfig.Mode',
    /INLINE or DISTRIBUTED/,
    fan(),
  ],
  [
    'ProcessorConfig is an object',
    one({ Type: 'Map', ItemProcessor: block({ P: end }, { ProcessorConfig: 1 }) }),
    'States.S.ItemProcessor.ProcessorConfig',
    /must be an object/,
    fan(),
  ],
  [
    'an ItemReader is an object',
    fan({ ItemReader: 's3' }),
    'States.S.ItemReader',
    /must be an object/,
    reader({ Arguments: { Bucket: 'b', Key: 'k' } }),
  ],
  [
    'an ItemReader names its object',
    reader({ Arguments: { Bucket: 'b' } }),
    'States.S.ItemReader.Arguments.Key',
    /is needed/,
    reader({ Arguments: '{% $states.input.place %}' }),
  ],
  [
    'an ItemReader has the arguments it heeds',
    reader({ Arguments: { Bucket: 'b', Key: 'k', VersionId: 'v' } }),
    'States.S.ItemReader.Arguments.VersionId',
    /known: Bucket, Key/,
    reader({ Arguments: { Bucket: 'b', Key: 'k' } }),
  ],
  [
    'a ResultWriter names its bucket',
    writer({ Arguments: { Prefix: 'p' } }),
    'States.S.ResultWriter.Arguments.Bucket',
    /is needed/,
    writer({ Arguments: { Bucket: 'b' } }),
  ],
  [
    'an ItemBatcher has a limit',
    fan({ ItemBatcher: {} }),
    'States.S.ItemBatcher',
    /MaxItemsPerBatch or MaxInputBytesPerBatch/,
    fan({ ItemBatcher: { MaxItemsPerBatch: 1 } }),
  ],
  // Retry and Catch
  ['Retry is a list', task({ Retry: {} }), 'States.S.Retry', /must be a list/, task({ Retry: [] })],
  ['a retrier is an object', task({ Retry: ['E'] }), 'States.S.Retry[0]', /must be an object/, retry({})],
  [
    'ErrorEquals is not empty',
    retry({ ErrorEquals: [] }),
    'States.S.Retry[0].ErrorEquals',
    /at least one error name/,
    retry({}),
  ],
  [
    'an error name is text',
    retry({ ErrorEquals: [''] }),
    'States.S.Retry[0].ErrorEquals',
    /at least one error name/,
    retry({ ErrorEquals: ['{% x %}'] }),
  ],
  [
    'IntervalSeconds is positive',
    retry({ IntervalSeconds: 0 }),
    'States.S.Retry[0].IntervalSeconds',
    /from 1/,
    retry({ IntervalSeconds: 1 }),
  ],
  [
    'MaxAttempts is not negative',
    retry({ MaxAttempts: -1 }),
    'States.S.Retry[0].MaxAttempts',
    /from 0/,
    retry({ MaxAttempts: 0 }),
  ],
  [
    'BackoffRate is at least 1',
    retry({ BackoffRate: 0.9 }),
    'States.S.Retry[0].BackoffRate',
    /from 1/,
    retry({ BackoffRate: 1.0 }),
  ],
  [
    'MaxDelaySeconds is a whole number',
    retry({ MaxDelaySeconds: 1.5 }),
    'States.S.Retry[0].MaxDelaySeconds',
    /whole number/,
    retry({ MaxDelaySeconds: 2 }),
  ],
  [
    'JitterStrategy is FULL or NONE',
    retry({ JitterStrategy: 'HALF' }),
    'States.S.Retry[0].JitterStrategy',
    /FULL or NONE/,
    retry({ JitterStrategy: 'FULL' }),
  ],
  [
    'States.ALL is alone',
    retry({ ErrorEquals: ['States.ALL', 'E'] }),
    'States.S.Retry[0].ErrorEquals',
    /alone/,
    retry({ ErrorEquals: ['States.ALL'] }),
  ],
  [
    'States.ALL is last',
    task({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] }] }),
    'States.S.Retry[0].ErrorEquals',
    /last/,
    task({ Retry: [{ ErrorEquals: ['E'] }, { ErrorEquals: ['States.ALL'] }] }),
  ],
  [
    'a catcher has a Next',
    caught({ Next: undefined }),
    'States.S.Catch[0].Next',
    /name of a state/,
    caught({}),
  ],
  ['a catcher goes to a state beside it', caught({ Next: 'X' }), 'States.S', /goes to "X"/, caught({})],
  // Assign
  [
    'Assign is an object',
    pass({ Assign: '{% {} %}' }),
    'States.S.Assign',
    /object of variables/,
    pass({ Assign: {} }),
  ],
  [
    'states is no name of a variable',
    pass({ Assign: { states: 1 } }),
    'States.S.Assign.states',
    /reserved/,
    pass({ Assign: { state: 1 } }),
  ],
  [
    'a variable has a name',
    pass({ Assign: { '1a': 1 } }),
    'States.S.Assign.1a',
    /begins with a letter/,
    pass({ Assign: { é1: 1 } }),
  ],
];

/** The service's own: quotas (service-quotas.html), variables (workflow-variables.html), JSONata (transforming-data.html). */
const service: readonly Rule[] = [
  [
    'a definition has at most 1 MB',
    pass({ Comment: 'c'.repeat(1_048_576) }),
    '',
    /1 MB/,
    pass({ Comment: 'c'.repeat(1_000_000) }),
  ],
  [
    'a state name has at most 80 characters',
    machine({ [name(81)]: end }),
    `States.${name(81)}`,
    /80 characters/,
    machine({ [name(80)]: end }),
  ],
  [
    'a state name is not empty',
    machine({ '': end }),
    'States.',
    /at least one/,
    machine({ ['𝒳'.repeat(80)]: end }),
  ],
  [
    'a variable name has at most 80 characters',
    pass({ Assign: { [name(81)]: 1 } }),
    `States.S.Assign.${name(81)}`,
    /80 characters/,
    pass({ Assign: { [name(80)]: 1 } }),
  ],
  [
    'a Wait takes at most 99,999,999 seconds',
    wait({ Seconds: 100_000_000 }),
    'States.S.Seconds',
    /99999999/,
    wait({ Seconds: 99_999_999 }),
  ],
  [
    'a machine takes at most 99,999,999 seconds',
    machine({ S: end }, { TimeoutSeconds: 100_000_000 }),
    'TimeoutSeconds',
    /99999999/,
    machine({ S: end }, { TimeoutSeconds: 99_999_999 }),
  ],
  [
    'MaxDelaySeconds is at most a leap year',
    retry({ MaxDelaySeconds: 31_622_401 }),
    'States.S.Retry[0].MaxDelaySeconds',
    /31622400/,
    retry({ MaxDelaySeconds: 31_622_400 }),
  ],
  [
    'a batch has at most 256 KiB',
    fan({ ItemBatcher: { MaxInputBytesPerBatch: 262_145 } }),
    'States.S.ItemBatcher.MaxInputBytesPerBatch',
    /262144/,
    fan({ ItemBatcher: { MaxInputBytesPerBatch: 262_144 } }),
  ],
  [
    'a reader takes at most 100,000,000 items',
    reader({ Arguments: { Bucket: 'b', Key: 'k' } }, { MaxItems: 100_000_001 }),
    'States.S.ItemReader.ReaderConfig.MaxItems',
    /100000000/,
    reader({ Arguments: { Bucket: 'b', Key: 'k' } }, { MaxItems: 100_000_000 }),
  ],
  [
    'a Label has at most 40 characters',
    fan({ Label: name(41) }),
    'States.S.Label',
    /1 to 40/,
    fan({ Label: name(40) }),
  ],
  [
    'a Label is used once',
    machine({
      S: {
        Type: 'Map',
        Label: 'L',
        ItemProcessor: block({ P: end }, { ProcessorConfig: distributed }),
        Next: 'T',
      },
      T: {
        Type: 'Map',
        Label: 'L',
        ItemProcessor: block({ Q: end }, { ProcessorConfig: distributed }),
        End: true,
      },
    }),
    'States.T.Label',
    /used once/,
    fan({ Label: 'L' }),
  ],
  [
    'a variable is assigned in one part',
    machine({
      S: { Type: 'Pass', Assign: { v: 1 }, Next: 'T' },
      T: { Type: 'Parallel', Branches: [block({ P: { ...end, Assign: { v: 2 } } })], End: true },
    }),
    'States.T.Branches[0].States.P.Assign.v',
    /another name/,
    machine({
      S: { Type: 'Pass', Assign: { v: 1 }, Next: 'T' },
      T: { Type: 'Parallel', Branches: [block({ P: { ...end, Assign: { w: '{% $v %}' } } })], End: true },
    }),
  ],
  [
    'a variable of a Map is not one of its iterations',
    map({ Assign: { v: 1 } }, { P: { ...end, Assign: { v: 2 } } }),
    'States.S.ItemProcessor.States.P.Assign.v',
    /another name/,
    map({ Assign: { v: 1 } }, { P: { ...end, Assign: { w: 2 } } }),
  ],
  [
    'a variable of a catcher counts as well',
    machine({
      S: { ...call, Catch: [{ ErrorEquals: ['E'], Assign: { v: 1 }, Next: 'T' }], Next: 'T' },
      T: {
        Type: 'Parallel',
        Branches: [
          block({
            P: { Type: 'Choice', Choices: [{ Condition: true, Assign: { v: 1 }, Next: 'Q' }] },
            Q: end,
          }),
        ],
        End: true,
      },
    }),
    'States.T.Branches[0].States.P.Choices[0].Assign.v',
    /another name/,
    machine({
      S: {
        Type: 'Parallel',
        Branches: [block({ P: { ...end, Assign: { v: 1 } } }), block({ Q: { ...end, Assign: { v: 1 } } })],
        End: true,
      },
    }),
  ],
  [
    'an expression parses',
    pass({ Output: '{% a[1,2) %}' }),
    'States.S.Output',
    /Expected "\]", got ","/,
    pass({ Output: '{% [1, 2] %}' }),
  ],
  [
    'an expression is JSONata 2.0.6: no ??',
    pass({ Output: '{% $states.input.a ?? 1 %}' }),
    'States.S.Output',
    /invalid JSONata/,
    pass({ Output: '{% $exists($states.input.a) ? $states.input.a : 1 %}' }),
  ],
  [
    'an expression is JSONata 2.0.6: no ?:',
    pass({ Output: '{% $states.input.a ?: 1 %}' }),
    'States.S.Output',
    /invalid JSONata/,
    pass({ Output: '{% $states.input.a ? 1 : 2 %}' }),
  ],
  [
    'there is no $eval',
    pass({ Output: "{% $map(['1'], $eval) %}" }),
    'States.S.Output',
    /\$eval is not available/,
    pass({ Output: "{% $parse('1') %}" }),
  ],
  [
    'there is no input document',
    pass({ Output: { a: ['{% $$ %}'] } }),
    'States.S.Output.a[0]',
    /\$states\.input/,
    pass({ Output: '{% $states %}' }),
  ],
  [
    'there is no context item',
    pass({ Output: '{% $.phone %}' }),
    'States.S.Output',
    /\$states\.input/,
    pass({ Output: '{% $states.input.list[$ > 1] %}' }),
  ],
  [
    'a name needs something to be read from',
    pass({ Output: '{% phone %}' }),
    'States.S.Output',
    /\$states\.input\.phone or \$phone/,
    pass({ Output: '{% $phone %}' }),
  ],
  [
    'a name in a function is at the top level',
    pass({ Output: '{% $map($states.input.a, function($x){ b }) %}' }),
    'States.S.Output',
    /reference to b/,
    pass({ Output: '{% $map($states.input.a, function($x){ $x.b }) %}' }),
  ],
  [
    'a name in an operand is at the top level',
    pass({ Output: '{% {"a": [b & 1]} %}' }),
    'States.S.Output',
    /reference to b/,
    pass({ Output: '{% $states.input.items^(a){b: [c]} %}' }),
  ],
  [
    'a condition reads from somewhere',
    choice({ Condition: '{% phone = 1 %}' }),
    'States.S.Choices[0].Condition',
    /reference to phone/,
    choice({ Condition: '{% $states.input.items[phone = 1] = [] %}' }),
  ],
  [
    '$states has four fields',
    pass({ Output: '{% $states.inputs %}' }),
    'States.S.Output',
    /input, context, result and errorOutput/,
    pass({ Output: '{% $states.input %}' }),
  ],
  [
    'a Pass has no result',
    pass({ Output: '{% $states.result %}' }),
    'States.S.Output',
    /Output and Assign of a Task, Parallel or Map/,
    task({ Output: '{% $states.result %}', Assign: { a: '{% $states.result.b %}' } }),
  ],
  [
    'a Choice has no result',
    choice({ Condition: '{% $states.result.ok %}' }, { Default: 'N' }),
    'States.S.Choices[0].Condition',
    /does not exist here/,
    choice({ Condition: '{% $states.input.ok %}' }),
  ],
  [
    'Arguments come before the result',
    task({ Arguments: { FunctionName: '{% $states.result %}' } }),
    'States.S.Arguments.FunctionName',
    /does not exist here/,
    both({ P: end }, { Output: '{% $states.result %}' }),
  ],
  [
    'a catcher has no result',
    caught({ Output: '{% $states.result %}' }),
    'States.S.Catch[0].Output',
    /Output and Assign of a Task/,
    caught({ Output: '{% $states.errorOutput %}' }),
  ],
  [
    'errorOutput is in a catcher',
    task({ Output: '{% $states.errorOutput %}' }),
    'States.S.Output',
    /of a Catch entry/,
    caught({ Assign: { e: '{% $states.errorOutput.Error %}' } }),
  ],
  [
    'ItemSelector comes before the result',
    map({ ItemSelector: '{% $states.result %}' }),
    'States.S.ItemSelector',
    /does not exist here/,
    map({ Output: '{% $states.result %}' }),
  ],
  [
    'Seconds see no result',
    wait({ Seconds: '{% $states.result %}' }),
    'States.S.Seconds',
    /does not exist here/,
    wait({ Seconds: '{% $states.input %}' }),
  ],
];

describe.each([
  ['the language', specification],
  ['the service', service],
])('every rule holds: of %s', (_, rules) => {
  it.each(rules)('%s', (_rule, broken, path, right, kept) => {
    const faults = faultsOf(broken).filter((fault) => fault.path === path);
    expect(
      faults.some((fault) => right.test(fault.message)),
      JSON.stringify(faultsOf(broken)),
    ).toBe(true);
    expect(faultsOf(kept)).toEqual([]);
  });
});
