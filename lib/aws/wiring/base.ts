import type { Deployment } from '../../config/deployment.ts';
import type { ServiceConfig } from '../../config/service-config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import type { Log } from '../../ports/log.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Random } from '../../ports/random.ts';
import type { Clients } from './clients.ts';

/** What every adapter may be made of. */
export interface AwsBase {
  readonly config: ServiceConfig;
  readonly deployment: Deployment;
  readonly clients: Clients;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The ports one part brings; job runners of several parts add up. */
export type PortsPart = Partial<Omit<Ports, 'jobs'>> & { readonly runners?: readonly JobRunner[] };
