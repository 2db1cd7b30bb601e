import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { z } from 'zod';
import type { Ports } from '../ports/ports.ts';
import type { Log } from '../ports/services.ts';
import { logInvocation } from './log-invocation.ts';
import { parseInput } from './parse-input.ts';

/** What a handler's action is given beside its input. */
export interface Invocation {
  readonly log: Log;
  readonly requestId: string;
}

/** A handler's action: parsed input in, JSON out. */
export type Action<I, O> = (input: I, invocation: Invocation) => Promise<O>;

/** What one file of functions/ declares. */
export interface HandlerDefinition<S extends z.ZodType, O> {
  /** The Serverless function key. */
  readonly name: string;
  /** Schema of the event; what does not fit is refused with `EVENT_SCHEMA` before anything is touched. */
  readonly input: S;
  /** Builds the action from its ports, once per process. */
  readonly create: (ports: Ports) => Action<z.output<S>, O>;
}

/** A Lambda handler that can also be given other ports than those of AWS. */
export interface EpsilonHandler {
  (event: unknown, context: Context): Promise<unknown>;
  /** The same stack and action over `ports`: what the embedded runtime and the tests call. */
  withPorts(ports: Ports): (event: unknown, context: Context) => Promise<unknown>;
}

/** Ports of the deployed service, built on the first invocation and kept. */
async function awsPorts(): Promise<Ports> {
  const { wireAws } = await import('../aws/wiring.ts');
  return wireAws();
}

function build<S extends z.ZodType, O>(definition: HandlerDefinition<S, O>, load: () => Promise<Ports>) {
  let wired: Promise<{ ports: Ports; action: Action<z.output<S>, O> }> | undefined;
  const wire = () => {
    wired ??= load().then((ports) => ({ ports, action: definition.create(ports) }));
    return wired;
  };
  const act = async (input: z.output<S>, context: Context): Promise<O> => {
    const { ports, action } = await wire();
    return action(input, {
      log: ports.log.child({ function: definition.name }),
      requestId: context.awsRequestId,
    });
  };
  return middy<unknown, unknown>()
    .use(logInvocation(definition.name, async () => (await wire()).ports))
    .use(parseInput(definition.input))
    .handler((input, context) => act(input as z.output<S>, context)) as unknown as (
    event: unknown,
    context: Context,
  ) => Promise<unknown>;
}

/**
 * The one stack every handler wears: log line and metric per invocation, input parsed at the door, errors passed on
 * with their literal names. Importing a handler does nothing; ports are wired on the first call.
 */
export function defineHandler<S extends z.ZodType, O>(definition: HandlerDefinition<S, O>): EpsilonHandler {
  return Object.assign(build(definition, awsPorts), {
    withPorts: (ports: Ports) => build(definition, async () => ports),
  });
}
