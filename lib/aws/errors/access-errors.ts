import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { errorName, isDenied, isThrottling } from './service-errors.ts';

/** What a middleware of the SDK gets to know of a call. */
export interface ClientContext {
  readonly clientName?: string;
  readonly commandName?: string;
}

/** Where a call went, for the sentence. */
export interface CallTarget {
  readonly region: string;
  readonly profile?: string;
  readonly resource?: string;
}

/** IAM prefix of a client. */
const prefixes: Readonly<Record<string, string>> = {
  SFNClient: 'states',
  CloudWatchLogsClient: 'logs',
  EventBridgeClient: 'events',
};

/** Fields of a call's input that name what it is about, the most specific first. */
const naming = [
  'executionArn',
  'stateMachineArn',
  'TableName',
  'Bucket',
  'TopicArn',
  'repositoryName',
  'jobQueue',
  'FunctionName',
  'NamePrefix',
  'Name',
  'logGroupName',
  'Names',
  'jobs',
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
  for (const field of naming) {
    const value = record[field];
    if (typeof value === 'string') return value;
    if (Array.isArray(value) && typeof value[0] === 'string')
      return value.length > 1 ? `${value[0]} and ${value.length - 1} more` : value[0];
  }
  return undefined;
}

const credentials = 'run "aws sso login" or set AWS_PROFILE, or name a profile with --profile';

type Explain = (about: { profile: string; region: string; action: string }) => [string, string];

const missing: Explain = ({ profile }) => [
  'AWS_CREDENTIALS_MISSING',
  `no credentials${profile} were found; ${credentials}`,
];
const expired: Explain = ({ profile }) => [
  'AWS_CREDENTIALS_EXPIRED',
  `the credentials${profile} have expired; ${credentials}`,
];
const invalid: Explain = ({ profile }) => [
  'AWS_CREDENTIALS_INVALID',
  `the credentials${profile} are not accepted; check the profile and this host's clock`,
];
const notAllowed: Explain = ({ profile }) => [
  'AWS_ACCESS_DENIED',
  `the credentials${profile || ' in use'} do not allow this`,
];
const strange: Explain = () => [
  'AWS_ANSWER_UNKNOWN',
  'the answer does not come from AWS; check AWS_ENDPOINT_URL and any proxies',
];
const noTable: Explain = () => [
  'TABLE_NOT_FOUND',
  'there is no such table; the environment is not deployed here (npx serverless deploy)',
];
const noBucket: Explain = () => [
  'BUCKET_NOT_FOUND',
  'there is no such bucket; the environment is not provisioned here (docs/provision.md)',
];
const elsewhere: Explain = ({ region }) => [
  'BUCKET_ELSEWHERE',
  `the bucket is in another region than ${region}`,
];
const unreachable: Explain = ({ region, action }) => [
  'AWS_UNREACHABLE',
  `the endpoint does not answer; check the network, AWS_ENDPOINT_URL, and that ${region} is a region which has ${action.split(':')[0]}`,
];
const failing: Explain = () => ['AWS_UNAVAILABLE', 'the service reports an internal error'];
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
  RequestTimeTooSkewed: invalid,
  OptInRequired: regionOff,
  UnknownEndpoint: regionOff,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  TimeoutError: unreachable,
  NoSuchBucket: noBucket,
  PermanentRedirect: elsewhere,
  AuthorizationHeaderMalformed: elsewhere,
};

/** Node's own name for what went wrong with a connection; several tries at once come as one AggregateError. */
function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: unknown[] };
  if (typeof code === 'string') return code;
  return errors?.[0] === undefined ? '' : codeOf(errors[0]);
}

/** What another try may well not meet. A state machine tries it again as it does what is throttled: later, spread out. */
class PassingTrouble extends EpsilonError {
  override readonly name = 'Throttled';
}

function isServerFault(error: unknown): boolean {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return ($metadata?.httpStatusCode ?? 0) >= 500 && !isThrottling(error);
}

/** Something answered, but not AWS: no request id, and nothing that the SDK could read. */
function isStrange(error: unknown): boolean {
  const { message = '', $metadata } = error as { message?: string; $metadata?: { requestId?: string } };
  if (errorName(error) === 'SyntaxError') return true;
  return message === 'Unknown' && $metadata !== undefined && $metadata.requestId === undefined;
}

function explanationOf(error: unknown, { clientName, commandName }: ClientContext): Explain | undefined {
  const name = errorName(error);
  // A profile may be there and its session over.
  if (name === 'CredentialsProviderError' && /expired|refresh|sso login/i.test((error as Error).message))
    return expired;
  const known = byName[name] ?? byName[codeOf(error)];
  if (known) return known;
  if (isDenied(error)) return notAllowed;
  if (name === 'ResourceNotFoundException' && clientName === 'DynamoDBClient') return noTable;
  // A HEAD request has no body, so an absent object is recognised by its status alone.
  if (!commandName?.startsWith('Head') && isStrange(error)) return strange;
  return isServerFault(error) ? failing : undefined;
}

/**
 * Turns an obstacle between this process and a service into one sentence that names action and resource: missing, expired or
 * refused credentials, a missing permission, an unreachable or strange endpoint, a region without the service, a table or
 * bucket that nobody made. Everything else is passed on as it is.
 */
export function explainAccessError(error: unknown, context: ClientContext, target: CallTarget): unknown {
  if (typeof error !== 'object' || error === null || error instanceof EpsilonError) return error;
  const explain = explanationOf(error, context);
  if (!explain) return error;
  const action = actionOf(context);
  const profile = target.profile === undefined ? '' : ` of profile "${target.profile}"`;
  const [code, sentence] = explain({ profile, region: target.region, action });
  const about = target.resource === undefined ? '' : ` on ${target.resource}`;
  const passing = explain === unreachable || explain === failing;
  const Kind = passing ? PassingTrouble : EpsilonError;
  return new Kind(code, `${action}${about} in ${target.region}: ${sentence}.`, {
    exitCode: exitCodes.backend,
    retryable: passing,
    cause: error,
    details: {
      action,
      region: target.region,
      ...(target.resource === undefined ? {} : { resource: target.resource }),
    },
  });
}
