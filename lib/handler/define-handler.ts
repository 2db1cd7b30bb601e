import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { z } from 'zod';
import { traceFieldsOf, withTraceFields } from '../event-schemas/trace-fields.ts';
import type { Log } from '../ports/log.ts';
import type { BasePorts, Ports } from '../ports/ports.ts';
import type { AwsPart, Wired } from './aws-parts.ts';
import { logInvocation } from './log-invocation.ts';
import { parseInput } from './parse-input.ts';
import { isReportQuestion, reportPlace } from './report-place.ts';

/** What a handler's action is given beside its input. */
export interface Invocation {
  readonly log: Log;
  readonly requestId: string;
  /** Milliseconds until the invocation is cut off. */
  readonly remainingMs: () => number;
}

/** A handler's action: parsed input in, JSON out. */
export type Action<I, O> = (input: I, invocation: Invocation) => Promise<O>;

/** What one file of functions/ declares. */
export interface HandlerDefinition<S extends z.ZodType, O, A extends readonly AwsPart[]> {
  /** The Serverless function key. */
  readonly name: string;
  /** Schema of the event; what does not fit is refused with `EVENT_SCHEMA` before anything is touched. */
  readonly input: S;
  /** The parts of AWS that the deployed function touches; its bundle holds these and no others. */
  readonly aws: A;
  /** Builds the action, once per process. It may ask for no port that the parts do not bring. */
  readonly create: (ports: Wired<NoInfer<A>>) => Action<z.output<S>, O>;
}

/** A bound handler: event in, JSON out. */
export type Invoke = (event: unknown, context: Context) => Promise<unknown>;

/** A Lambda handler that can also be given other ports than those of AWS; `P` are those it asks for. */
export interface EpsilonHandler<P extends BasePorts = Ports> {
  (event: unknown, context: Context): Promise<unknown>;
  /** The same stack and action over `ports`: what the embedded runtime and the tests call. */
  readonly withPorts: (ports: P) => Invoke;
  /** What the deployed function is wired with. */
  readonly aws: readonly AwsPart[];
}

/** Ports of the deployed service, built on the first invocation and kept. */
async function awsPorts<A extends readonly AwsPart[]>(parts: A): Promise<Wired<A>> {
  const { wireAws } = await import('../aws/wiring/wire-aws.ts');
  return wireAws(parts);
}

function build<S extends z.ZodType, O, A extends readonly AwsPart[]>(
  definition: HandlerDefinition<S, O, A>,
  load: () => Promise<Wired<A>>,
): Invoke {
  const { name } = definition;
  let wired: Promise<{ ports: BasePorts; action: Action<z.output<S>, O> }> | undefined;
  const wireAnew = () => {
    const made = load().then((ports) => ({ ports, action: definition.create(ports) }));
    // What is not promoted yet will be: a process that could not be wired tries again.
    made.catch(() => {
      if (wired === made) wired = undefined;
    });
    wired = made;
    return made;
  };
  const wire = async () => {
    const before = wired;
    if (!before) return wireAnew();
    const { place } = (await before).ports;
    if (!place || (await place.isCurrent())) return before;
    return wired === before ? wireAnew() : (wired ?? wireAnew());
  };
  const act = async (input: z.output<S>, context: Context): Promise<O> => {
    const { ports, action } = await wire();
    return action(input, {
      log: ports.log.child({ function: name }),
      requestId: context.awsRequestId,
      remainingMs: () => context.getRemainingTimeInMillis(),
    });
  };
  const stack = middy<unknown, unknown>()
    .use(logInvocation(name, async () => (await wire()).ports))
    .use(parseInput(definition.input))
    .handler((input, context) => act(input as z.output<S>, context)) as unknown as Invoke;
  const answer: Invoke = async (event, context) =>
    isReportQuestion(event) ? reportPlace(name, (await wire()).ports) : stack(event, context);
  return (event, context) =>
    withTraceFields({ ...traceFieldsOf(event), requestId: context.awsRequestId }, () =>
      answer(event, context),
    );
}

/**
 * The one stack every handler wears: log line and metric per invocation, input parsed at the door, errors passed
 * on with their literal names. Importing a handler does nothing; ports are wired on the first call.
 */
export function defineHandler<S extends z.ZodType, O, const A extends readonly AwsPart[]>(
  definition: HandlerDefinition<S, O, A>,
): EpsilonHandler<Wired<A>> {
  return Object.assign(
    build(definition, () => awsPorts(definition.aws)),
    {
      withPorts: (ports: Wired<A>) => build(definition, async () => ports),
      aws: definition.aws,
    },
  );
}
