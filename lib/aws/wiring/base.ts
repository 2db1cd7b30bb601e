import type { Deployment } from '../../config/deployment.ts';
import type { BasePorts, JobRunners, Ports } from '../../ports/ports.ts';
import type { Clients } from './clients.ts';

/** What every adapter may be made of. */
export interface AwsBase extends BasePorts {
  readonly deployment: Deployment;
  readonly clients: Clients;
}

/** Ports that a part may bring; the job runners of several parts add up. */
export type PartPorts = Partial<Omit<Ports, keyof BasePorts | 'jobs'>> & {
  readonly jobs?: Partial<JobRunners>;
};

/** One part of AWS that a function may be wired with: loads, when it is called, what makes the ports `P`. */
export type AwsPart<P extends PartPorts = PartPorts> = () => Promise<(base: AwsBase) => P>;

/** The ports of all parts of a list together. */
type Brought<A extends readonly AwsPart[]> = A extends readonly [AwsPart<infer P>, ...infer Rest]
  ? P & (Rest extends readonly AwsPart[] ? Brought<Rest> : unknown)
  : unknown;

/** What a function has that is wired with the parts `A`: what every function has, and what the parts bring. */
export type Wired<A extends readonly AwsPart[]> = BasePorts & Brought<A>;
