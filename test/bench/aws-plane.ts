import { Readable } from 'node:stream';
import type { Context } from 'aws-lambda';
import type { Clients } from '../../lib/aws/wiring/clients.ts';
import { assemblePorts } from '../../lib/aws/wiring/wire-aws.ts';
import {
  awsBatch,
  awsCallbacks,
  awsEvents,
  type awsKubernetes,
  awsNotifier,
  awsObjects,
  awsStores,
  awsWorkflows,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import type { EpsilonHandler } from '../../lib/handler/define-handler.ts';
import type { JobRunner } from '../../lib/ports/job-runner.ts';
import { stages } from '../../lib/training/stages.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { MemoryDynamoDb, type WireRequest } from '../dynamodb/memory-dynamodb.ts';
import { tableSchema } from '../dynamodb/table-schema.ts';
import { account, anAwsBase, region } from '../fixtures/aws-base.ts';

const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
/** Repository of an image, and the digest every definition is pinned to. */
const repository = (name: string) => `${account}.dkr.ecr.${region}.amazonaws.com/${name}`;
export const imageOf = (name: string) => `${repository(name)}@sha256:${'a'.repeat(64)}`;

interface Request extends WireRequest {
  readonly hostname: string;
  readonly path: string;
  readonly method: string;
}

/** Parts of AWS that the measured handlers are wired with, beside the cluster. */
const deployed = [
  awsStores,
  awsBatch,
  awsCallbacks,
  awsObjects,
  awsWorkflows,
  awsEvents,
  awsNotifier,
] as const;

type PlanePorts = Wired<readonly [...typeof deployed, typeof awsKubernetes]>;

/** One submitted Batch job. */
export interface SubmittedJob {
  readonly jobId: string;
  readonly jobName: string;
  readonly jobQueue: string;
  readonly container: { readonly environment: { readonly name: string; readonly value: string }[] };
}

/**
 * The real adapters of AWS over the SDK's real clients, whose requests end in this process. Every request that would have
 * left the machine is written down.
 */
export class AwsPlane {
  readonly requests: string[] = [];
  readonly jobs: SubmittedJob[] = [];
  readonly clock = new VirtualClock(Date.parse('2026-11-24T02:00:00Z'));
  readonly ports: Promise<PlanePorts>;
  readonly #dynamo = new MemoryDynamoDb('epsilon-dev', tableSchema);
  #invocations = 0;

  /** `clusterOf` makes the runner of the cluster; without it there is none. */
  constructor(clusterOf: (plane: AwsPlane) => JobRunner | undefined = () => undefined) {
    const base = anAwsBase({ clients: this.#clients(), clock: this.clock, random: seededRandom(1) });
    const cluster: typeof awsKubernetes = async () => () => ({ jobs: { eks: clusterOf(this) } });
    this.ports = assemblePorts(base, [...deployed, cluster]);
  }

  #clients(): Clients {
    const made = new Map<unknown, unknown>();
    return {
      region,
      of: ((Client: new (options: object) => object) => {
        const there =
          made.get(Client) ?? new Client({ region, credentials, requestHandler: this.#handler() });
        made.set(Client, there);
        return there;
      }) as Clients['of'],
      in: () => this.#clients(),
      close: () => {},
    };
  }

  #handler() {
    return { handle: async (request: Request) => ({ response: this.#respond(request) }) };
  }

  /** Writes a request down that another stand-in made. */
  note(request: string): void {
    this.requests.push(request);
  }

  #respond(request: Request) {
    const service = request.hostname.includes('s3') ? 's3' : (request.hostname.split('.')[0] ?? '');
    const target = request.headers['x-amz-target']?.split('.').at(-1);
    this.requests.push(`${service}:${target ?? `${request.method} ${request.path}`}`);
    if (service === 'dynamodb') return this.#dynamo.respond(request);
    const body = request.body === undefined ? '' : new TextDecoder().decode(request.body as Uint8Array);
    const answer =
      service === 'batch'
        ? this.#batch(request.path, JSON.parse(body) as never)
        : this.#other(service, target);
    const type =
      service === 'kms' || service === 'states' ? 'application/x-amz-json-1.1' : 'application/json';
    return {
      statusCode: 200,
      headers: { 'content-type': type },
      // An object's body is a stream to the SDK, all others are read at once.
      body: Readable.from([Buffer.from(JSON.stringify(answer))]),
    };
  }

  #other(service: string, target: string | undefined): unknown {
    if (service === 's3') return { vectors: 1 };
    const key = Buffer.alloc(32, 7).toString('base64');
    if (target === 'GenerateDataKey') return { Plaintext: key, CiphertextBlob: key };
    return target === 'Decrypt' ? { Plaintext: key } : {};
  }

  #batch(
    path: string,
    input: { jobDefinitions?: string[]; jobs?: string[] } & Record<string, never>,
  ): unknown {
    if (path.endsWith('/submitjob')) {
      const { jobName, jobQueue, containerOverrides } = input as unknown as {
        jobName: string;
        jobQueue: string;
        containerOverrides: SubmittedJob['container'];
      };
      const job = { jobId: `job-${this.jobs.length}`, jobName, jobQueue, container: containerOverrides };
      this.jobs.push(job);
      return job;
    }
    if (path.endsWith('/describejobs'))
      return {
        jobs: this.jobs
          .filter(({ jobId }) => input.jobs?.includes(jobId))
          .map((job) => ({ ...job, status: 'RUNNING', startedAt: this.clock.now() })),
      };
    if (!path.endsWith('/describejobdefinitions')) throw new Error(`Batch was asked ${path}.`);
    const [, stage = ''] = /job-definition\/([a-z]+):/.exec(input.jobDefinitions?.[0] ?? '') ?? [];
    const image = imageOf(stages[stage as keyof typeof stages].image);
    const definition = { jobDefinitionName: stage, jobDefinitionArn: input.jobDefinitions?.[0], revision: 1 };
    return { jobDefinitions: [{ ...definition, status: 'ACTIVE', containerProperties: { image } }] };
  }

  /** Invokes a handler and gives the requests it made. */
  async invoke(handler: EpsilonHandler<PlanePorts>, event: unknown): Promise<readonly string[]> {
    this.#invocations += 1;
    const end = this.clock.now() + 55_000;
    const context = {
      awsRequestId: `request-${this.#invocations}`,
      getRemainingTimeInMillis: () => end - this.clock.now(),
    } as Context;
    const before = this.requests.length;
    await handler.withPorts(await this.ports)(event, context);
    return this.requests.slice(before);
  }
}
