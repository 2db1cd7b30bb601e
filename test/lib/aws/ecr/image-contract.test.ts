import { BatchGetImageCommand, ECRClient, GetDownloadUrlForLayerCommand } from '@aws-sdk/client-ecr';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createContractReader } from '../../../../lib/aws/ecr/image-contract.ts';

const ecr = mockClient(ECRClient);
const client = new ECRClient({ region: 'us-west-2' });
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const repository = '123456789012.dkr.ecr.us-west-2.amazonaws.com/epsilon-dev/ml-engine';
const image = `${repository}@${digest('a')}`;
const failing = (name: string) => Object.assign(new Error(name), { name });
const labelled = (label?: string) => ({
  config: { Labels: label === undefined ? null : { other: 'x', 'epsilon.contract': label } },
});
const one = (letter: string) => ({ config: { digest: digest(letter), size: 200 } });

/** A registry with manifests and descriptions by the letter of their digest; a manifest that is a string is kept as it is. */
function registry(manifests: Record<string, unknown>, configs: Record<string, unknown> = {}, answers = 200) {
  ecr.on(BatchGetImageCommand).callsFake(async ({ imageIds: [{ imageDigest }] }) => {
    const found = manifests[imageDigest.at(-1)];
    if (found === undefined)
      return { images: [], failures: [{ failureReason: 'Requested image not found' }] };
    return { images: [{ imageManifest: typeof found === 'string' ? found : JSON.stringify(found) }] };
  });
  ecr.on(GetDownloadUrlForLayerCommand).callsFake(async ({ layerDigest }) => ({
    downloadUrl: `https://layers.example/${layerDigest.at(-1)}`,
  }));
  const asked: string[] = [];
  const contractOf = createContractReader({
    client,
    fetch: async (url) => {
      asked.push(String(url));
      return new Response(JSON.stringify(configs[String(url).at(-1) ?? '']), { status: answers });
    },
  });
  return { contractOf, asked };
}

afterEach(() => ecr.reset());

describe('the contract that an image in ECR speaks', () => {
  it('is what its label says, asked for once whatever begins', async () => {
    const { contractOf, asked } = registry({ a: one('c') }, { c: labelled('1,2') });
    expect(await Promise.all([contractOf(image), contractOf(image)])).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await contractOf(image)).toEqual([1, 2]);
    expect(asked).toEqual(['https://layers.example/c']);
    const named = { registryId: '123456789012', repositoryName: 'epsilon-dev/ml-engine' };
    expect(ecr.commandCalls(BatchGetImageCommand).map((call) => call.args[0].input)).toMatchObject([
      { ...named, imageIds: [{ imageDigest: digest('a') }] },
    ]);
    expect(ecr.commandCalls(GetDownloadUrlForLayerCommand).map((call) => call.args[0].input)).toEqual([
      { ...named, layerDigest: digest('c') },
    ]);
  });

  it.each([
    ['without the label', labelled(), [1, 2]],
    ['without any description', {}, [1, 2]],
    ['with a label that is no list', labelled('latest'), []],
  ])('of an image %s', async (_, config, versions) => {
    expect(await registry({ a: one('c') }, { c: config }).contractOf(image)).toEqual(versions);
  });

  it('of an image for several platforms is what all of them accept; an attestation is none of them', async () => {
    const manifests = [
      { digest: digest('1'), platform: { os: 'linux', architecture: 'amd64' } },
      { digest: digest('2'), platform: { os: 'linux', architecture: 'arm64' } },
      { digest: digest('3'), platform: { os: 'unknown', architecture: 'unknown' } },
    ];
    const { contractOf } = registry(
      { a: { manifests }, 1: one('c'), 2: one('d') },
      { c: labelled('1,2'), d: labelled('2,3') },
    );
    expect(await contractOf(image)).toEqual([2]);
  });

  it.each([
    ['a manifest of something else', { a: { artifactType: 'x' } }, {}],
    ['a manifest that is no JSON', { a: '{' }, {}],
    ['a list of nothing', { a: { manifests: [] } }, {}],
    [
      'a description that is too large to read',
      { a: { config: { digest: digest('c'), size: 5_000_000 } } },
      {},
    ],
    ['a description that is none', { a: one('c') }, { c: [] }],
  ])('IMAGE_UNREADABLE for %s', async (_, manifests, configs) => {
    await expect(registry(manifests, configs).contractOf(image)).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      retryable: false,
    });
  });

  it('IMAGE_NOT_FOUND for a digest or a repository that is not there', async () => {
    await expect(registry({}).contractOf(image)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: `${repository}: ${digest('a')}: Requested image not found.`,
    });
    ecr.on(BatchGetImageCommand).rejects(failing('RepositoryNotFoundException'));
    await expect(createContractReader({ client, fetch })(image)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
    });
  });

  it('is asked for again after a failure: a store that does not answer, or a registry that throttles', async () => {
    const { contractOf, asked } = registry({ a: one('c') }, { c: labelled('2') }, 503);
    await expect(contractOf(image)).rejects.toMatchObject({ name: 'Throttled', retryable: true });
    await expect(contractOf(image)).rejects.toMatchObject({ name: 'Throttled' });
    expect(asked).toHaveLength(2);
    ecr.on(BatchGetImageCommand).rejects(failing('ThrottlingException'));
    await expect(contractOf(image)).rejects.toMatchObject({ name: 'Throttled' });
  });

  it.each([
    [BatchGetImageCommand, 'ecr:BatchGetImage'],
    [GetDownloadUrlForLayerCommand, 'ecr:GetDownloadUrlForLayer'],
  ])('names the right that is missing', async (command, action) => {
    const { contractOf } = registry({ a: one('c') }, { c: labelled('2') });
    ecr.on(command as typeof BatchGetImageCommand).rejects(failing('AccessDeniedException'));
    await expect(contractOf(image)).rejects.toMatchObject({ code: 'AWS_ACCESS_DENIED', details: { action } });
  });
});
