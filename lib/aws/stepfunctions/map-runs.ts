import {
  DescribeMapRunCommand,
  type DescribeMapRunOutput,
  ListMapRunsCommand,
  type SFNClient,
  UpdateMapRunCommand,
} from '@aws-sdk/client-sfn';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { MapRun, Workflows } from '../../ports/workflows.ts';
import { errorName } from '../errors/service-errors.ts';
import type { MachineNames } from './machine-names.ts';
import { explainWorkflowError } from './workflow-errors.ts';

/** Largest page the service gives. */
const page = 1_000;

function mapRunOf(mapRunArn: string, found: DescribeMapRunOutput): MapRun {
  const {
    total = 0,
    pending = 0,
    running = 0,
    succeeded = 0,
    failed = 0,
    timedOut = 0,
    aborted = 0,
  } = found.executionCounts ?? {};
  return {
    mapRunArn,
    status: found.status ?? 'RUNNING',
    startDate: found.startDate?.toISOString() ?? '',
    ...(found.stopDate ? { stopDate: found.stopDate.toISOString() } : {}),
    maxConcurrency: found.maxConcurrency ?? 0,
    toleratedFailureCount: found.toleratedFailureCount ?? 0,
    toleratedFailurePercentage: found.toleratedFailurePercentage ?? 0,
    redriveCount: found.redriveCount ?? 0,
    children: { total, pending, running, succeeded, failed, timedOut, aborted },
  };
}

/** Map runs in Step Functions. */
export function createMapRuns(parts: {
  readonly client: SFNClient;
  readonly names: MachineNames;
}): Pick<Workflows, 'mapRuns' | 'describeMapRun' | 'updateMapRun'> {
  const { client, names } = parts;

  const call = async <T>(action: string, mapRunArn: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const name = errorName(error);
      if (name === 'ResourceNotFound' || name === 'InvalidArn')
        throw new NotFound('MAP_RUN_NOT_FOUND', `There is no map run ${mapRunArn}.`);
      throw explainWorkflowError(error, `states:${action}`, mapRunArn);
    }
  };

  const describeMapRun = async (mapRunArn: string): Promise<MapRun> =>
    mapRunOf(
      mapRunArn,
      await call('DescribeMapRun', mapRunArn, () => client.send(new DescribeMapRunCommand({ mapRunArn }))),
    );

  async function mapRuns(given: string): Promise<MapRun[]> {
    const executionArn = names.executionArn(given);
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const token = nextToken === undefined ? {} : { nextToken };
      const listed = await client
        .send(new ListMapRunsCommand({ executionArn, maxResults: page, ...token }))
        .catch((error: unknown) => {
          throw explainWorkflowError(error, 'states:ListMapRuns', given);
        });
      for (const { mapRunArn = '' } of listed.mapRuns ?? []) found.push(mapRunArn);
      nextToken = listed.nextToken;
    } while (nextToken);
    return Promise.all(found.map(describeMapRun));
  }

  return {
    mapRuns,
    describeMapRun,
    updateMapRun: async (mapRunArn, changes) => {
      // The service's answer to a run that is over is a fault of validation that names no reason.
      const { status } = await describeMapRun(mapRunArn);
      if (status !== 'RUNNING')
        throw new EpsilonError(
          'MAP_RUN_NOT_RUNNING',
          `Map run ${mapRunArn} is ${status}; only a running one is changed.`,
          { exitCode: exitCodes.conflict, details: { status } },
        );
      await call('UpdateMapRun', mapRunArn, () =>
        client.send(new UpdateMapRunCommand({ mapRunArn, ...changes })),
      );
    },
  };
}
