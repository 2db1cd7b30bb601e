import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { JobSessions } from '../../ports/job-sessions.ts';
import type { BatchCalls } from '../batch/batch-calls.ts';
import { explainServiceError } from '../errors/service-errors.ts';
import { sessionNameOf } from './session-name.ts';
import { longestSessionPolicy, sessionPolicyOf } from './session-policy.ts';

/** Seconds a session lasts: the least that STS gives. A job asks again while its attempt is open. */
const sessionSeconds = 900;

/** States in which Batch has started a job's task, and not seen its end. */
const live: ReadonlySet<string | undefined> = new Set(['STARTING', 'RUNNING']);

/** What the sessions are made with. */
export interface JobSessionsOptions {
  readonly calls: Pick<BatchCalls, 'describe'>;
  readonly client: STSClient;
  /** The tenant role. */
  readonly roleArn: string;
  readonly partition: string;
}

/**
 * Tasks and sessions of jobs on Batch. Errors of `begin`: `SESSION_SCOPE_TOO_LONG` (the names of documents and run do not fit into a
 * session policy), `SESSION_REFUSED`, `AWS_ACCESS_DENIED`, `Throttled`.
 */
export function createJobSessions({ calls, client, roleArn, partition }: JobSessionsOptions): JobSessions {
  return {
    taskOf: async (jobId) => {
      const [job] = await calls.describe([jobId]);
      return live.has(job?.status) ? job?.container?.taskArn?.split('/').at(-1) : undefined;
    },
    begin: async (scope) => {
      const policy = sessionPolicyOf(scope, partition);
      if (policy.length > longestSessionPolicy)
        throw new EpsilonError(
          'SESSION_SCOPE_TOO_LONG',
          `The session policy of ${scope.name} has ${policy.length} characters; STS takes ${longestSessionPolicy}.`,
        );
      const command = new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: sessionNameOf(scope.name),
        DurationSeconds: sessionSeconds,
        Tags: [{ Key: 'TenantId', Value: scope.tenantId }],
        Policy: policy,
      });
      const { Credentials: given } = await client.send(command).catch((error: unknown) => {
        throw explainServiceError(error, `sts:AssumeRole as tenant ${scope.tenantId}`, roleArn);
      });
      if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration)
        throw new EpsilonError('SESSION_REFUSED', `sts:AssumeRole on ${roleArn} returned no credentials.`, {
          exitCode: exitCodes.backend,
          retryable: true,
        });
      return {
        accessKeyId: given.AccessKeyId,
        secretAccessKey: given.SecretAccessKey,
        sessionToken: given.SessionToken,
        expiration: given.Expiration,
      };
    },
  };
}
