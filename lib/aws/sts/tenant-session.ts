import { AssumeRoleCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SessionCredentials } from '../../ports/job-sessions.ts';
import { explainServiceError } from '../errors/service-errors.ts';
import { sessionNameOf } from './session-name.ts';

/** Seconds a session lasts: a chained one never lasts longer. */
const sessionSeconds = 3_600;

/** Milliseconds before its end at which a session is renewed: longer than the SDK's own window of five minutes. */
const renewBeforeMs = 600_000;

/** Whose session it is. */
export interface TenantSessionOptions {
  /** The tenant role: what it reaches follows from the TenantId tag of the session. */
  readonly roleArn: string;
  /** Tags of the session: `TenantId` and, where the trust of the role compares them, the attempt's (job-name.ts). */
  readonly tags: Readonly<Record<string, string>>;
  /** Shows up in CloudTrail: the run. */
  readonly sessionName: string;
  readonly clock: Clock;
  readonly client: STSClient;
}

/**
 * Credentials of one tenant, from the role this process starts with: the tenant role taken with the session tag TenantId.
 * Kept in memory only and renewed before they end; several who ask at once cause one call. Errors: `AWS_ACCESS_DENIED`
 * (the starting role may not become this tenant), `Throttled`.
 */
export function createTenantSession(options: TenantSessionOptions): () => Promise<SessionCredentials> {
  const { roleArn, tags, clock, client } = options;
  let session: Promise<SessionCredentials> | undefined;
  let renewAt = 0;

  async function begin(): Promise<SessionCredentials> {
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionNameOf(options.sessionName),
      DurationSeconds: sessionSeconds,
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    });
    const { Credentials: given } = await client.send(command).catch((error: unknown) => {
      throw explainServiceError(error, `sts:AssumeRole as tenant ${tags['TenantId']}`, roleArn);
    });
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) {
      throw new EpsilonError('SESSION_REFUSED', `sts:AssumeRole on ${roleArn} returned no credentials.`, {
        exitCode: exitCodes.backend,
        retryable: true,
      });
    }
    renewAt = given.Expiration.getTime() - renewBeforeMs;
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
      expiration: given.Expiration,
    };
  }

  return () => {
    if (session === undefined || (renewAt > 0 && clock.now() >= renewAt)) {
      renewAt = 0;
      const next = begin();
      session = next;
      // A refusal is not cached: this caller gets it, and the next one calls again.
      next.catch(() => {
        if (session === next) session = undefined;
      });
    }
    return session;
  };
}

/** The same over an STS client of the region, made here, with the credentials that this process starts with. */
export function openTenantSession(
  options: Omit<TenantSessionOptions, 'client'> &
    Required<Pick<STSClientConfig, 'credentials'>> & { readonly region: string },
): () => Promise<SessionCredentials> {
  const { region, credentials, ...rest } = options;
  return createTenantSession({ ...rest, client: new STSClient({ region, credentials }) });
}
