import { expressionIn } from '../jsonata/template.ts';
import { isObject } from '../model/json.ts';
import { longestSeconds } from './bounds.ts';
import type { Compilation } from './compilation.ts';
import { type Source, templatesOf } from './compile-fields.ts';
import { checkNumber } from './compile-literals.ts';
import type { Integration, TaskState } from './machine.ts';
import { isIntrinsic } from './resolve-intrinsics.ts';

/** Resources that run here; a trailing pattern is taken from the name. */
const integrations: Readonly<Record<string, Integration>> = {
  'lambda:invoke': 'lambda',
  'states:startExecution': 'startExecution',
  'states:startExecution.sync:2': 'startExecution.sync',
  'events:putEvents': 'putEvents',
  'sns:publish': 'snsPublish',
  'sqs:sendMessage': 'sqsSendMessage',
};

/** Arguments without which a call is refused. */
const needed: Readonly<Record<Integration, readonly string[]>> = {
  lambda: ['FunctionName'],
  startExecution: ['StateMachineArn'],
  'startExecution.sync': ['StateMachineArn'],
  putEvents: ['Entries'],
  snsPublish: ['Message'],
  sqsSendMessage: ['QueueUrl', 'MessageBody'],
};

/** Arguments a call may have; those of notifications and messages are handed on whole. */
const known: Readonly<Partial<Record<Integration, readonly string[]>>> = {
  lambda: ['FunctionName', 'Payload', 'InvocationType', 'Qualifier'],
  startExecution: ['StateMachineArn', 'Name', 'Input', 'TraceHeader'],
  'startExecution.sync': ['StateMachineArn', 'Name', 'Input', 'TraceHeader'],
  putEvents: ['Entries'],
};

/** Names of functions, machines and queues are texts, or stand for one. */
const texts = ['FunctionName', 'StateMachineArn', 'QueueUrl'];

function checkArguments(compilation: Compilation, { raw, at }: Source, integration: Integration): void {
  const given = raw['Arguments'];
  if (typeof given === 'string' && expressionIn(given) !== undefined) return;
  if (given !== undefined && !isObject(given)) {
    compilation.invalid(
      `${at}.Arguments`,
      `must be an object or an expression, not ${JSON.stringify(given)}`,
    );
    return;
  }
  const fields = isObject(given) ? given : {};
  const allowed = known[integration];
  for (const field of Object.keys(fields))
    if (allowed && !allowed.includes(field))
      compilation.unsupported(
        `${at}.Arguments.${field}`,
        `${field} is not known here (known: ${allowed.join(', ')})`,
      );
  const { InvocationType: type = 'RequestResponse' } = fields;
  if (integration === 'lambda' && type !== 'RequestResponse')
    compilation.unsupported(
      `${at}.Arguments.InvocationType`,
      'functions are invoked as RequestResponse here',
    );
  for (const field of needed[integration]) {
    const value = fields[field];
    if (value === undefined) compilation.invalid(`${at}.Arguments.${field}`, 'is needed');
    else if (texts.includes(field) && typeof value !== 'string' && !isIntrinsic(value))
      compilation.invalid(`${at}.Arguments.${field}`, `must be text, not ${JSON.stringify(value)}`);
  }
}

const tokenPattern = '.waitForTaskToken';

/** The Task's own part: which integration, with which pattern. */
export function compileTask(
  compilation: Compilation,
  source: Source,
): Pick<TaskState, 'type' | 'resource' | 'integration' | 'waitForTaskToken'> {
  const { raw, at } = source;
  const resource = String(raw['Resource'] ?? '');
  if (typeof raw['Resource'] !== 'string')
    compilation.invalid(`${at}.Resource`, 'must be the ARN of what the Task calls');
  const named = /^arn:[a-z-]+:states:[a-z0-9-]*:\d*:(.+)$/.exec(resource)?.[1] ?? '';
  const waitForTaskToken = named.endsWith(tokenPattern);
  const plain = waitForTaskToken ? named.slice(0, -tokenPattern.length) : named;
  const integration = Object.hasOwn(integrations, plain) ? integrations[plain] : undefined;
  const tokenAllowed =
    integration === 'lambda' ||
    integration === 'sqsSendMessage' ||
    integration === 'putEvents' ||
    integration === 'snsPublish';
  if (!integration || (waitForTaskToken && !tokenAllowed)) {
    const known = Object.keys(integrations).join(', ');
    compilation.unsupported(
      `${at}.Resource`,
      `${JSON.stringify(resource)} does not run here (known: ${known}, and ${tokenPattern} on lambda, sqs, sns and events)`,
    );
  }
  if (waitForTaskToken && !JSON.stringify(raw['Arguments'] ?? '').includes('$states.context.Task.Token')) {
    compilation.invalid(
      `${at}.Arguments`,
      `${tokenPattern} needs $states.context.Task.Token in the arguments`,
    );
  }
  for (const field of ['TimeoutSeconds', 'HeartbeatSeconds'])
    checkNumber(compilation, raw[field], `${at}.${field}`, { min: 1, max: longestSeconds });
  if (integration) checkArguments(compilation, source, integration);
  const { TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = raw;
  if (typeof timeout === 'number' && typeof heartbeat === 'number' && heartbeat >= timeout) {
    compilation.invalid(`${at}.HeartbeatSeconds`, 'must be smaller than TimeoutSeconds');
  }
  return {
    type: 'Task',
    resource: named,
    integration: integration ?? 'lambda',
    waitForTaskToken,
    ...templatesOf(compilation, source, {
      arguments: 'Arguments',
      timeout: 'TimeoutSeconds',
      heartbeat: 'HeartbeatSeconds',
    }),
  };
}
