import { Readable } from 'node:stream';
import type { Context } from 'aws-lambda';
import { tableSchema } from '../../lib/aws/table/schema.ts';
import type { AwsBase } from '../../lib/aws/wiring/base.ts';
import type { Clients } from '../../lib/aws/wiring/clients.ts';
import { assemblePorts } from '../../lib/aws/wiring/wire-aws.ts';
import { part as batchPart } from '../../lib/aws/wiring/wire-batch.ts';
import { part as callbacksPart } from '../../lib/aws/wiring/wire-callbacks.ts';
import { part as objectsPart } from '../../lib/aws/wiring/wire-objects.ts';
import { part as storesPart } from '../../lib/aws/wiring/wire-stores.ts';
import { part as workflowsPart } from '../../lib/aws/wiring/wire-workflows.ts';
import { deploymentOf } from '../../lib/config/deployment.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { EpsilonHandler } from '../../lib/handler/define-handler.ts';
import type { JobRunner } from '../../lib/ports/job-runner.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { stageNames, stages } from '../../lib/training/stages.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { MemoryDynamoDb, type WireRequest } from '../dynamodb/memory-dynamodb.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';

const account = '123456789012';
const region = 'us-west-2';
const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Repository of an image, and the digest every definition is pinned to. */
const repository = (name: string) => `${account}.dkr.ecr.${region}.amazonaws.com/${name}`;
export const imageOf = (name: string) => `${repository(name)}@sha256:${'a'.repeat(64)}`;

interface Request extends WireRequest {
  readonly hostname: string;
  readonly path: string;
  readonly method: string;
}

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
  readonly ports: Ports;
  readonly #dynamo = new MemoryDynamoDb('epsilon-dev', tableSchema);
  #invocations = 0;

  constructor(runners: readonly JobRunner[] = []) {
    const base: AwsBase = {
      config: loadConfig({
        file: readYaml('infra/config/dev.yml'),
        variables: { EPSILON_RECONCILE_SHARDS: '1' },
      }),
      deployment: deploymentOf({
        EPSILON_AWS_ACCOUNT_ID: account,
        EPSILON_AWS_TABLE_NAME: 'epsilon-dev',
        EPSILON_AWS_TOKEN_KEY_ARN: arn('kms', 'key/tokens'),
        EPSILON_AWS_EVENT_BUS_NAME: 'epsilon-dev',
        EPSILON_AWS_ALERTS_TOPIC_ARN: arn('sns', 'alerts'),
        EPSILON_AWS_BATCH_SPOT_QUEUE_ARN: arn('batch', 'job-queue/spot'),
        EPSILON_AWS_BATCH_ON_DEMAND_QUEUE_ARN: arn('batch', 'job-queue/on-demand'),
        EPSILON_AWS_BATCH_JOB_DEFINITION_ARNS: JSON.stringify(
          Object.fromEntries(stageNames.map((stage) => [stage, arn('batch', `job-definition/${stage}:1`)])),
        ),
        EPSILON_AWS_REPOSITORY_URLS: '{}',
        EPSILON_AWS_JOB_ROLE_ARN: `arn:aws:iam::${account}:role/job`,
      }),
      clients: this.#clients(),
      clock: this.clock,
      ids: sequentialIds(),
      random: seededRandom(1),
      log: silent,
      metrics: { count() {}, duration() {} },
    };
    const parts = [storesPart, batchPart, callbacksPart, objectsPart, workflowsPart].map((part) =>
      part(base),
    );
    this.ports = assemblePorts(base, [...parts, { runners }]);
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
  async invoke(handler: EpsilonHandler, event: unknown): Promise<readonly string[]> {
    this.#invocations += 1;
    const end = this.clock.now() + 55_000;
    const context = {
      awsRequestId: `request-${this.#invocations}`,
      getRemainingTimeInMillis: () => end - this.clock.now(),
    } as Context;
    const before = this.requests.length;
    await handler.withPorts(this.ports)(event, context);
    return this.requests.slice(before);
  }
}
