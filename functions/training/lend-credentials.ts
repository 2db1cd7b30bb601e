import { z } from 'zod';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { awsSessions, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { lendCredentials } from '../../lib/operations/attempts/lend-credentials.ts';
import { stageNames } from '../../lib/training/stages.ts';

/** What API Gateway passes on of a signed request; the caller is who IAM found it to be, and no header. */
const input = z.object({
  body: z.string().max(2_048).nullable(),
  requestContext: z.object({
    requestId: z.string(),
    identity: z.object({ userArn: z.string() }),
  }),
});

const attempt = { runId: z.string().min(1).max(80), attempt: z.int().positive() };

/** Which attempt a job says it is; one that looks at datasets may ask for the credentials of one of its tenants. */
const question = z.union([
  z.strictObject({ ...attempt, stage: z.enum(stageNames) }),
  z.strictObject({
    ...attempt,
    stage: z.literal('profile'),
    tenantId: z.string().min(1).max(80).optional(),
  }),
]);

const aws = [awsStores, awsSessions] as const;

/** Status of each refusal; anything else is a fault of this side. */
const statusOf: Readonly<Record<string, number>> = {
  CREDENTIALS_BAD_REQUEST: 400,
  CREDENTIALS_REFUSED: 403,
  CREDENTIALS_TOO_EARLY: 409,
  SESSION_SCOPE_TOO_LONG: 422,
  THROTTLED: 429,
};

const answer = (statusCode: number, body: unknown) => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
});

/** Task id of the caller: ECS names the session of a task's role after the task. Any other principal has none. */
function taskOf(userArn: string, environment: string): string | undefined {
  const [, role, session] =
    /^arn:aws[a-z-]*:sts::\d{12}:assumed-role\/([^/]+)\/([0-9a-f]{32})$/.exec(userArn) ?? [];
  return role === `epsilon-${environment}-job-batch` ? session : undefined;
}

function questionOf(body: string | null): z.output<typeof question> {
  try {
    return question.parse(JSON.parse(body ?? ''));
  } catch {
    throw new EpsilonError('CREDENTIALS_BAD_REQUEST', 'The body is not {"runId", "stage", "attempt"}.');
  }
}

/**
 * Lends credentials to a job on Batch: for its own attempt, for fifteen minutes, while that is open. Who asks is decided by IAM
 * before this runs (infra/serverless/credentials-api.yml); which attempt is the caller's, by Batch.
 */
export function createLendCredentials(ports: Wired<typeof aws>) {
  return async (event: z.output<typeof input>, { log }: Invocation) => {
    try {
      const taskId = taskOf(event.requestContext.identity.userArn, ports.config.environment);
      const asked = questionOf(event.body);
      if (taskId === undefined)
        throw new EpsilonError('CREDENTIALS_REFUSED', 'Only a job on Batch gets credentials here.');
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await lendCredentials(ports, {
        ...asked,
        taskId,
      });
      ports.metrics.count('CredentialsLent', 1);
      return answer(200, {
        Version: 1,
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: expiration.toISOString(),
      });
    } catch (error) {
      const { code, message } = error instanceof EpsilonError ? error : { code: 'INTERNAL', message: '' };
      const status = statusOf[code];
      if (status === undefined) throw error;
      if (code === 'CREDENTIALS_REFUSED') ports.metrics.count('CredentialsRefused', 1);
      log.warn('no credentials', { code, caller: event.requestContext.identity.userArn });
      return answer(status, { code, message });
    }
  };
}

export const handler = defineHandler({
  name: 'lendCredentials',
  input,
  aws,
  create: createLendCredentials,
});
