import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatchClient, DescribeJobsCommand } from '@aws-sdk/client-batch';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { actionOf, explainAccessError, resourceOf } from '../../../../lib/aws/errors/access-errors.ts';
import { createClients } from '../../../../lib/aws/wiring/clients.ts';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A service on this machine that gives every call the same answer. */
let server: Server;
let answer: Answer | 'silence';
let asked: number;

beforeEach(async () => {
  asked = 0;
  server = createServer((_, response) => {
    asked += 1;
    if (answer === 'silence') return;
    response.writeHead(answer.status, { 'x-amzn-requestid': 'r', ...answer.headers });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (status: number, type: string): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: JSON.stringify({ __type: `com.amazonaws.service#${type}`, message: 'words of the service' }),
});
const xml = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<ErrorResponse><Error><Code>${code}</Code><Message>m</Message></Error></ErrorResponse>`,
});
const s3Error = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`,
});

const clients = (profile?: string) =>
  createClients({ region: 'us-west-2', ...(profile === undefined ? {} : { profile }) });
const whoAmI = () => clients().of(STSClient).send(new GetCallerIdentityCommand({}));
const execution = 'arn:aws:states:us-west-2:123456789012:execution:epsilon-dev-nightly-training:n';
const describeExecution = () =>
  clients()
    .of(SFNClient)
    .send(new DescribeExecutionCommand({ executionArn: execution }));

describe('a refused request to a service is one sentence that names action and resource', () => {
  it.each([
    ['ExpiredTokenException', 'AWS_CREDENTIALS_EXPIRED', 'have expired; run "aws sso login"'],
    [
      'UnrecognizedClientException',
      'AWS_CREDENTIALS_INVALID',
      "are not accepted; check the profile and this host's clock",
    ],
    ['AccessDeniedException', 'AWS_ACCESS_DENIED', 'the credentials in use do not allow this'],
    ['OptInRequired', 'AWS_REGION_UNAVAILABLE', 'region us-west-2 is not enabled'],
  ])('F20: %s from the service becomes %s', async (type, code, words) => {
    answer = json(400, type);
    const failed = describeExecution();
    await expect(failed).rejects.toMatchObject({
      code,
      exitCode: 4,
      details: { action: 'states:DescribeExecution', region: 'us-west-2', resource: execution },
    });
    await expect(failed).rejects.toThrow(`states:DescribeExecution on ${execution} in us-west-2: `);
    await expect(failed).rejects.toThrow(words);
    expect(asked).toBe(1);
  });

  it.each([
    ['ExpiredToken', 403, 'AWS_CREDENTIALS_EXPIRED'],
    ['InvalidClientTokenId', 403, 'AWS_CREDENTIALS_INVALID'],
    ['SignatureDoesNotMatch', 403, 'AWS_CREDENTIALS_INVALID'],
  ])('%s of STS becomes %s', async (code, status, told) => {
    answer = xml(status, code);
    await expect(whoAmI()).rejects.toMatchObject({ code: told });
  });

  it('an endpoint that nobody listens at is named', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
    await expect(whoAmI()).rejects.toMatchObject({
      code: 'AWS_UNREACHABLE',
      name: 'Throttled',
      retryable: true,
      message: expect.stringContaining('sts:GetCallerIdentity in us-west-2: the endpoint does not answer'),
    });
  });

  it('an endpoint that answers but is not AWS is named', async () => {
    answer = { status: 404, headers: { 'x-amzn-requestid': '' }, body: '<html>who are you?</html>' };
    await expect(describeExecution()).rejects.toMatchObject({ code: 'AWS_ANSWER_UNKNOWN' });
  });

  it('an internal error of a service is reported after the SDK has tried four times', async () => {
    answer = json(500, 'InternalServerError');
    await expect(describeExecution()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', name: 'Throttled' });
    expect(asked).toBe(4);
  });

  it('a profile that does not exist, and one whose session is over, are named', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
      vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    const failed = clients('nope').of(STSClient).send(new GetCallerIdentityCommand({}));
    await expect(failed).rejects.toMatchObject({
      code: 'AWS_CREDENTIALS_MISSING',
      message: expect.stringContaining('no credentials of profile "nope" were found'),
    });
    const over = Object.assign(new Error('The SSO session associated with this profile has expired.'), {
      name: 'CredentialsProviderError',
    });
    expect(explainAccessError(over, {}, { region: 'us-west-2', profile: 'p' })).toMatchObject({
      code: 'AWS_CREDENTIALS_EXPIRED',
    });
  });

  it('a table and a bucket that nobody created, and a bucket in another region, are named', async () => {
    answer = json(400, 'ResourceNotFoundException');
    await expect(
      clients()
        .of(DynamoDBClient)
        .send(new GetItemCommand({ TableName: 'epsilon-dev', Key: {} })),
    ).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
      message: expect.stringContaining('dynamodb:GetItem on epsilon-dev in us-west-2'),
    });
    const get = () =>
      clients()
        .of(S3Client)
        .send(new GetObjectCommand({ Bucket: 'data-bucket', Key: 'k' }));
    for (const [status, name, code] of [
      [404, 'NoSuchBucket', 'BUCKET_NOT_FOUND'],
      [301, 'PermanentRedirect', 'BUCKET_ELSEWHERE'],
      [403, 'AccessDenied', 'AWS_ACCESS_DENIED'],
    ] as const) {
      answer = s3Error(status, name);
      await expect(get()).rejects.toMatchObject({ code, details: { resource: 'data-bucket' } });
    }
  });

  it('a refusal without a body, as for the head of an object, is explained; mere absence is not', async () => {
    const head = () =>
      clients()
        .of(S3Client)
        .send(new HeadObjectCommand({ Bucket: 'data-bucket', Key: 'k' }));
    answer = { status: 403, body: '' };
    await expect(head()).rejects.toMatchObject({ code: 'AWS_ACCESS_DENIED' });
    answer = { status: 404, body: '' };
    await expect(head()).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('an error that is specific to a service is passed on', async () => {
    answer = json(400, 'ExecutionDoesNotExist');
    await expect(describeExecution()).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  });
});

describe('names for the sentence', () => {
  it.each([
    [{ clientName: 'SFNClient', commandName: 'StartExecutionCommand' }, 'states:StartExecution'],
    [{ clientName: 'CloudWatchLogsClient', commandName: 'GetLogEventsCommand' }, 'logs:GetLogEvents'],
    [{ clientName: 'S3Client', commandName: 'GetObjectCommand' }, 's3:GetObject'],
  ])('the action of %j is %s', (context, action) => {
    expect(actionOf(context)).toBe(action);
  });

  it.each([
    [{ TableName: 't' }, 't'],
    [{ Names: ['/epsilon/dev/a', '/epsilon/dev/b'] }, '/epsilon/dev/a and 1 more'],
    [{ jobs: ['j'] }, 'j'],
    [{ other: 1 }, undefined],
    [undefined, undefined],
  ])('the resource of %j is %s', (input, resource) => {
    expect(resourceOf(input)).toBe(resource);
  });
});

describe('a client that gives up', () => {
  it('a call that only reads is given up on an interrupt; a write is completed', async () => {
    answer = 'silence';
    const stop = new AbortController();
    const some = createClients({ region: 'us-west-2', signal: stop.signal });
    const read = some.of(BatchClient).send(new DescribeJobsCommand({ jobs: ['j'] }));
    stop.abort();
    await expect(read).rejects.toMatchObject({
      code: 'INTERRUPTED',
      exitCode: 130,
      message: expect.stringContaining('batch:DescribeJobs'),
    });
    await expect(
      some.of(SFNClient).send(new DescribeExecutionCommand({ executionArn: execution })),
    ).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
