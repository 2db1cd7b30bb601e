import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import type { ReplicationFigures } from '../../backup/cloud/replication.ts';
import type { ReplicationMetrics } from '../../ports/backup/replication-metrics.ts';
import { explained } from '../errors/service-errors.ts';

/** The rule of the data bucket (infra/pulumi/replication.ts), and the buckets. */
export interface ReplicationPlace {
  readonly sourceBucket: string;
  readonly destinationBucket: string;
  readonly ruleId: string;
}

/** Seconds of a datapoint. */
const period = 300;

function question(place: ReplicationPlace, Id: string, MetricName: string, Stat: string): MetricDataQuery {
  const Dimensions = [
    { Name: 'SourceBucket', Value: place.sourceBucket },
    { Name: 'DestinationBucket', Value: place.destinationBucket },
    { Name: 'RuleId', Value: place.ruleId },
  ];
  return {
    Id,
    MetricStat: { Metric: { Namespace: 'AWS/S3', MetricName, Dimensions }, Period: period, Stat },
  };
}

/** The newest value of each question; a question without a datapoint is absent. */
async function newest(
  client: CloudWatchClient,
  queries: MetricDataQuery[],
  from: number,
  until: number,
): Promise<Record<string, number>> {
  const answer = await explained('cloudwatch:GetMetricData', 'AWS/S3', () =>
    client.send(
      new GetMetricDataCommand({
        StartTime: new Date(from),
        EndTime: new Date(until),
        ScanBy: 'TimestampDescending',
        MetricDataQueries: queries,
      }),
    ),
  );
  return Object.fromEntries(
    (answer.MetricDataResults ?? []).flatMap(({ Id = '', Values: [value] = [] }) =>
      value === undefined ? [] : [[Id, value]],
    ),
  );
}

/**
 * Figures of S3's replication: `there` is CloudWatch of the destination's region, `here` that of the source's, which is not asked where
 * nothing of that region may be needed: its failures are absent then.
 */
export function cloudwatchReplication(
  { here, there }: { readonly here: CloudWatchClient | undefined; readonly there: CloudWatchClient },
  place: ReplicationPlace,
): ReplicationMetrics {
  return {
    figures: async (from, until): Promise<ReplicationFigures> => ({
      ...(await newest(
        there,
        [
          question(place, 'latencySeconds', 'ReplicationLatency', 'Maximum'),
          question(place, 'pendingOperations', 'OperationsPendingReplication', 'Maximum'),
          question(place, 'pendingBytes', 'BytesPendingReplication', 'Maximum'),
        ],
        from,
        until,
      )),
      ...(here &&
        (await newest(
          here,
          [question(place, 'failedOperations', 'OperationsFailedReplication', 'Sum')],
          from,
          until,
        ))),
    }),
  };
}
