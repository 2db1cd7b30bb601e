import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { lentCredentials } from './lent-credentials.ts';
import { send } from './send.ts';
import { type OwnCredentials, signed } from './signed.ts';

/** Where ECS answers a task with the credentials of its role; the path is in the task's environment. */
const taskHost = 'http://169.254.170.2';

/** What the API that lends credentials is asked with. */
export interface ApiQuestion {
  readonly url: string;
  readonly region: string;
  readonly runId: string;
  readonly stage: string;
  readonly attempt: number;
  readonly tenantId?: string;
  /** Path of the task's own credentials (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`). */
  readonly ownPath: string;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/**
 * Credentials of the task's own role. One request instead of the SDK's provider, whose loading takes as long as the whole question.
 * Error: `CREDENTIALS_NONE_OWN`.
 */
async function own(path: string): Promise<OwnCredentials> {
  const { status, text } = await send(new URL(path, taskHost).href, { method: 'GET' });
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken } = parsed(text);
  if (
    typeof accessKeyId !== 'string' ||
    typeof secretAccessKey !== 'string' ||
    typeof sessionToken !== 'string'
  )
    throw new EpsilonError('CREDENTIALS_NONE_OWN', `${taskHost} answered ${status}, without credentials.`);
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** On Batch: asks the API that lends credentials, signed as the task's own role. */
export function fromApi({ url, region, ownPath, ...attempt }: ApiQuestion): Promise<string> {
  return lentCredentials({
    ...attempt,
    url,
    sign: async (request) => signed(request, await own(ownPath), { region, now: new Date() }),
    send: (headers, body) => send(url, { method: 'POST', headers, body }),
  });
}
