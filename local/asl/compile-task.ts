import type { Compilation } from './compile.ts';
import { type Source, templatesOf } from './compile-fields.ts';
import type { Integration, TaskState } from './machine.ts';

/** Resources that run here; a trailing pattern is taken from the name. */
const integrations: Readonly<Record<string, Integration>> = {
  'lambda:invoke': 'lambda',
  'states:startExecution': 'startExecution',
  'states:startExecution.sync:2': 'startExecution.sync',
  'events:putEvents': 'putEvents',
  'sns:publish': 'snsPublish',
  'sqs:sendMessage': 'sqsSendMessage',
};

const tokenPattern = '.waitForTaskToken';

/** The Task's own part: which integration, with which pattern. */
export function compileTask(
  compilation: Compilation,
  source: Source,
): Pick<TaskState, 'type' | 'resource' | 'integration' | 'waitForTaskToken'> {
  const { raw, at } = source;
  const resource = String(raw['Resource'] ?? '');
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
  for (const field of ['TimeoutSeconds', 'HeartbeatSeconds']) {
    const value = raw[field];
    if (typeof value === 'number' && !(Number.isInteger(value) && value > 0))
      compilation.invalid(`${at}.${field}`, 'must be a positive whole number');
  }
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
