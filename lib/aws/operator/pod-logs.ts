import {
  type CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
  type LogStream,
} from '@aws-sdk/client-cloudwatch-logs';
import { NotFound } from '../../errors/store-errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobLogs, LogChunk } from '../../ports/job-logs.ts';
import { errorName, explained } from '../errors/service-errors.ts';
import { linesOnTheirWay } from './batch-logs.ts';
import { LogTail } from './log-tail.ts';

/** Longest beginning of a pod's name that comes from its job's name: the rest of the 63 is random. */
const longestBase = 58;

/** Streams looked at for one job. */
const mostStreams = 50;

/** What the logs of pods are made of. */
export interface PodLogsOptions {
  readonly logs: CloudWatchLogsClient;
  readonly clock: Clock;
  /** Group that the shipper writes to: a stream per container, called `<pod>.<container>`. */
  readonly group: string;
}

interface PodRecord {
  readonly log?: string;
  readonly stream?: string;
  readonly kubernetes?: { readonly labels?: Readonly<Record<string, string>> };
}

function recordOf(message: string): PodRecord {
  try {
    const parsed: unknown = JSON.parse(message);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // A line that the shipper did not wrap is shown as it is.
  }
  return { log: message };
}

/** Job that a record says it is of, where it says so. */
const jobOf = ({ kubernetes }: PodRecord) =>
  kubernetes?.labels?.['batch.kubernetes.io/job-name'] ?? kubernetes?.labels?.['job-name'];

const textOf = (stream: 'stdout' | 'stderr') => (message: string) => {
  const record = recordOf(message);
  if ((record.stream ?? 'stdout') !== stream) return '';
  const { log = '' } = record;
  return log.endsWith('\n') ? log : `${log}\n`;
};

/** Logs of jobs on Kubernetes, as the cluster's shipper wrote them to CloudWatch Logs. */
export function createPodLogs({ logs, clock, group }: PodLogsOptions): JobLogs {
  const tails = new Map<string, LogTail>();
  const call = <T>(action: string, work: () => Promise<T>): Promise<T> =>
    explained(`logs:${action}`, group, work, (error) =>
      errorName(error) === 'ResourceNotFoundException'
        ? new NotFound(
            'JOB_NOT_FOUND',
            `There is no log group ${group}; infrastructure creates it (docs/provision.md).`,
          )
        : error,
    );

  async function candidates(jobName: string): Promise<LogStream[]> {
    const logStreamNamePrefix = `${jobName}-`.slice(0, longestBase);
    const asked = { logGroupName: group, logStreamNamePrefix, limit: mostStreams };
    const { logStreams = [] } = await call('DescribeLogStreams', () =>
      logs.send(new DescribeLogStreamsCommand(asked)),
    );
    return logStreams.toSorted((a, b) => (a.creationTime ?? 0) - (b.creationTime ?? 0));
  }

  async function isOf(jobName: string, logStreamName: string): Promise<boolean> {
    const asked = { logGroupName: group, logStreamName, startFromHead: true, limit: 1 };
    const { events = [] } = await call('GetLogEvents', () => logs.send(new GetLogEventsCommand(asked)));
    return events.some(({ message = '' }) => (jobOf(recordOf(message)) ?? jobName) === jobName);
  }

  /** A long job name is cut in its pod's name, so that attempts may look alike: the record's label then decides. */
  async function streamOf(jobName: string): Promise<string | undefined> {
    const found = await candidates(jobName);
    if (found.length === 1 && jobName.length < longestBase) return found[0]?.logStreamName;
    for (const { logStreamName = '' } of found) if (await isOf(jobName, logStreamName)) return logStreamName;
    return undefined;
  }

  async function tailOf(jobName: string, stream: 'stdout' | 'stderr'): Promise<LogTail | undefined> {
    const key = `${stream} ${jobName}`;
    const there = tails.get(key);
    if (there) return there;
    const name = await streamOf(jobName);
    if (name === undefined) return undefined;
    const made = new LogTail(logs, { group, stream: name }, textOf(stream));
    tails.set(key, made);
    return made;
  }

  return {
    read: async ({ jobName, settledAt }, stream, fromByte): Promise<LogChunk> => {
      const over = settledAt !== undefined && clock.now() - Date.parse(settledAt) >= linesOnTheirWay;
      const tail = await tailOf(jobName, stream);
      if (!tail) {
        if (!over) return { text: '', nextByte: fromByte, ended: false };
        throw new NotFound('JOB_NOT_FOUND', `No pod of job ${jobName} has written to ${group}.`);
      }
      const { text, nextByte, drained } = await tail.read(fromByte);
      return { text, nextByte, ended: drained && over };
    },
  };
}
