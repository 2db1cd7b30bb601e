import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { stageNames, stages } from '../../../lib/training/stages.ts';

interface Variable {
  readonly name: string;
  readonly value: string;
}

/** A job that was submitted, and the process that does its work. */
interface Job {
  readonly jobName: string;
  readonly environment: readonly Variable[];
  readonly child: ChildProcess;
  exitCode?: number;
  output: string;
}

/** What stands before the emulator's Batch. */
export interface JobStandIn {
  readonly endpoint: string;
  /** Names of the jobs, in the order of their submission. */
  names(): string[];
  /** What the jobs wrote, for the one who looks for a fault. */
  log(): string;
  close(): Promise<void>;
}

/** Where jobs work. */
export interface JobStandInOptions {
  /** Of the emulator; known once it runs. */
  readonly endpoint: () => string;
  /** Credentials and region. */
  readonly variables: Readonly<Record<string, string>>;
  readonly folder: string;
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function forward(
  to: string,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<{ readonly status: number; readonly text: string }> {
  const { 'content-length': _, ...headers } = incoming.headers;
  return new Promise((done, reject) => {
    const sent = request(`${to}${incoming.url ?? '/'}`, { method: 'POST', headers }, (answer) => {
      bodyOf(answer).then(
        (received) => done({ status: answer.statusCode ?? 502, text: received.toString() }),
        reject,
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

interface Submission {
  readonly jobName: string;
  readonly containerOverrides?: {
    readonly command?: readonly string[];
    readonly environment?: readonly Variable[];
  };
}

/** Does a job's work as a process of this machine: the workload itself, on the emulated object store. */
function work(
  { jobName, containerOverrides }: Submission,
  { endpoint, variables, folder }: JobStandInOptions,
): Job {
  const { command = [], environment = [] } = containerOverrides ?? {};
  const given = Object.fromEntries(environment.map(({ name, value }) => [name, value]));
  const stage = stageNames.find((name) => name === given['EPSILON_TRAINING_STAGE']);
  if (!stage) throw new Error(`job ${jobName} says no stage`);
  const directory = join(folder, jobName);
  mkdirSync(directory, { recursive: true });
  const child = spawn(process.execPath, [resolve('workload', stages[stage].image, 'main.ts'), ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...given,
      ...variables,
      PATH: process.env['PATH'],
      TMPDIR: directory,
      AWS_ENDPOINT_URL: endpoint(),
      EPSILON_RESULT_PATH: join(directory, 'result.json'),
    },
  });
  const job: Job = { jobName, environment, child, output: '' };
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => {
      job.output += text.toString();
    });
  child.once('exit', (code) => {
    job.exitCode = code ?? 143;
  });
  return job;
}

interface Definition {
  readonly jobDefinitionArn: string;
  readonly status: string;
}

/** The stub gives all definitions, whichever are asked for. */
function definitionsAsked(body: string, text: string): string {
  const asked = JSON.parse(body) as { jobDefinitions?: string[]; status?: string };
  const { jobDefinitions: all = [] } = JSON.parse(text) as { jobDefinitions?: Definition[] };
  const found = all.filter(
    ({ jobDefinitionArn, status }) =>
      (asked.jobDefinitions?.includes(jobDefinitionArn) ?? true) && (asked.status ?? status) === status,
  );
  return JSON.stringify({ jobDefinitions: found });
}

/** The stub knows no filters. */
function jobsAsked(body: string, text: string): string {
  const { filters = [] } = JSON.parse(body) as { filters?: { name: string; values: string[] }[] };
  const names = filters.find(({ name }) => name === 'JOB_NAME')?.values;
  const { jobSummaryList: all = [] } = JSON.parse(text) as { jobSummaryList?: { jobName: string }[] };
  return JSON.stringify({ jobSummaryList: all.filter(({ jobName }) => names?.includes(jobName) ?? true) });
}

/**
 * Stands before the emulator's Batch, whose jobs do nothing and succeed at once: here a submitted job is a process that does
 * the work, and a described one is running until it has ended, and tells its environment, as Batch does and the stub does not.
 */
export async function startJobStandIn(options: JobStandInOptions): Promise<JobStandIn> {
  const jobs = new Map<string, Job>();

  function described(text: string): string {
    const { jobs: found = [] } = JSON.parse(text) as { jobs?: { jobId: string; container?: object }[] };
    const told = found.map((each) => {
      const job = jobs.get(each.jobId);
      if (!job) return each;
      const { environment, exitCode } = job;
      const status = exitCode === undefined ? 'RUNNING' : exitCode === 0 ? 'SUCCEEDED' : 'FAILED';
      return { ...each, status, container: { environment, ...(exitCode === undefined ? {} : { exitCode }) } };
    });
    return JSON.stringify({ jobs: told });
  }

  /** What the stub answers, as Batch would have. */
  function corrected(url: string | undefined, body: string, text: string): string {
    if (url === '/v1/describejobs') return described(text);
    if (url === '/v1/describejobdefinitions') return definitionsAsked(body, text);
    return url === '/v1/listjobs' ? jobsAsked(body, text) : text;
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const { status, text } = await forward(options.endpoint(), incoming, body);
    if (status === 200 && incoming.url === '/v1/submitjob') {
      const { jobId } = JSON.parse(text) as { jobId: string };
      jobs.set(jobId, work(JSON.parse(body.toString()) as Submission, options));
    }
    outgoing.writeHead(status, { 'content-type': 'application/json' });
    outgoing.end(status === 200 ? corrected(incoming.url, body.toString(), text) : text);
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => {
      outgoing.writeHead(500, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ message: String(error) }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    names: () => [...jobs.values()].map(({ jobName }) => jobName),
    log: () => [...jobs.values()].map(({ jobName, output }) => `--- ${jobName}\n${output}`).join('\n'),
    close: async () => {
      for (const { child } of jobs.values()) child.kill('SIGKILL');
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
