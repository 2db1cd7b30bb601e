import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { errorName } from './service-errors.ts';

/** What the SDK tells a middleware about a call. */
export interface ClientContext {
  readonly clientName?: string;
  readonly commandName?: string;
}

/** Where a call went, for the sentence. */
export interface CallPlace {
  readonly region: string;
  readonly profile?: string;
  readonly resource?: string;
}

/** IAM prefix of a client. */
const prefixes: Readonly<Record<string, string>> = {
  SFNClient: 'states',
  CloudWatchLogsClient: 'logs',
  EventBridgeClient: 'events',
  SecretsManagerClient: 'secretsmanager',
};

/** Fields of a call's input that name what it is about, the most telling first. */
const naming = [
  'executionArn',
  'stateMachineArn',
  'TableName',
  'Bucket',
  'TopicArn',
  'repositoryName',
  'jobQueue',
  'FunctionName',
  'SecretId',
  'NamePrefix',
  'Name',
  'logGroupName',
] as const;

/** The action of a call, as IAM names it: `states:DescribeExecution`. */
export function actionOf({ clientName = '', commandName = '' }: ClientContext): string {
  const prefix = prefixes[clientName] ?? clientName.replace(/Client$/, '').toLowerCase();
  return `${prefix}:${commandName.replace(/Command$/, '')}`;
}

/** The resource a call's input names, if it does. */
export function resourceOf(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const record = input as Record<string, unknown>;
  const found = naming.map((field) => record[field]).find((value) => typeof value === 'string');
  return found as string | undefined;
}

const credentials = 'run "aws sso login" or set AWS_PROFILE, or name a profile with --profile';

type Explain = (about: { profile: string; region: string; action: string }) => [string, string];

const missing: Explain = ({ profile }) => [
  'AWS_CREDENTIALS_MISSING',
  `no credentials were found${profile}; ${credentials}`,
];
const expired: Explain = ({ profile }) => [
  'AWS_CREDENTIALS_EXPIRED',
  `the credentials${profile} have expired; ${credentials}`,
];
const invalid: Explain = ({ profile }) => [
  'AWS_CREDENTIALS_INVALID',
  `the credentials${profile} are not accepted; check the profile and this machine's clock`,
];
const unreachable: Explain = ({ region, action }) => [
  'AWS_UNREACHABLE',
  `the endpoint does not answer; check the network, AWS_ENDPOINT_URL, and that ${region} is a region which has ${action.split(':')[0]}`,
];
const regionOff: Explain = ({ region }) => [
  'AWS_REGION_UNAVAILABLE',
  `region ${region} is not enabled for this account or does not have the service`,
];

const byName: Readonly<Record<string, Explain>> = {
  CredentialsProviderError: missing,
  TokenProviderError: expired,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  ExpiredSSOToken: expired,
  RequestExpired: expired,
  UnrecognizedClientException: invalid,
  InvalidClientTokenId: invalid,
  InvalidAccessKeyId: invalid,
  SignatureDoesNotMatch: invalid,
  InvalidSignatureException: invalid,
  IncompleteSignature: invalid,
  OptInRequired: regionOff,
  UnknownEndpoint: regionOff,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
};

/** Node's own name for what went wrong with a connection; several tries at once come as one AggregateError. */
function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: unknown[] };
  if (typeof code === 'string') return code;
  return errors?.[0] === undefined ? '' : codeOf(errors[0]);
}

/**
 * Turns what stands between us and a service into one sentence that names action and resource: missing, expired or
 * refused credentials, an unreachable endpoint, a region without the service. Everything else is passed on as it is.
 */
export function explainAccessError(error: unknown, context: ClientContext, place: CallPlace): unknown {
  if (typeof error !== 'object' || error === null || error instanceof EpsilonError) return error;
  const explain = byName[errorName(error)] ?? byName[codeOf(error)];
  if (!explain) return error;
  const action = actionOf(context);
  const profile = place.profile === undefined ? '' : ` of profile "${place.profile}"`;
  const [code, sentence] = explain({ profile, region: place.region, action });
  const about = place.resource === undefined ? '' : ` on ${place.resource}`;
  return new EpsilonError(code, `${action}${about} in ${place.region}: ${sentence}.`, {
    exitCode: exitCodes.backend,
    retryable: explain === unreachable,
    cause: error,
    details: {
      action,
      region: place.region,
      ...(place.resource === undefined ? {} : { resource: place.resource }),
    },
  });
}
