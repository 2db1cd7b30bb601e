import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createImageResolver } from '../../../../lib/aws/ecr/image-resolver.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { devSettings } from '../../../fixtures/ports.ts';

const ecr = mockClient(ECRClient);
const client = new ECRClient({ region: 'us-west-2' });
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const at = (day: number) => new Date(Date.UTC(2026, 10, day));
const registry = '123456789012.dkr.ecr.us-west-2.amazonaws.com';
const failing = (name: string) => Object.assign(new Error(name), { name });

function resolver(mlEngine: string | undefined, clock = new VirtualClock(0)) {
  return createImageResolver({
    client,
    repositoryUrls: mlEngine === undefined ? {} : { 'ml-engine': mlEngine },
    workloads: devSettings.workloads,
    clock,
    fetch,
  });
}

afterEach(() => ecr.reset());

describe('the image resolver', () => {
  it('the resolver takes the newest tagged image of a bare repository, over all pages, and no signature', async () => {
    ecr
      .on(DescribeImagesCommand)
      .resolvesOnce({
        imageDetails: [{ imageDigest: digest('a'), imageTags: ['1.0.0'], imagePushedAt: at(1) }],
        nextToken: 'next',
      })
      .resolvesOnce({
        imageDetails: [
          { imageDigest: digest('b'), imageTags: ['1.1.0'], imagePushedAt: at(3) },
          { imageDigest: digest('c'), imageTags: ['1.0.1'], imagePushedAt: at(2) },
          { imageDigest: digest('e'), imageTags: ['serving-ml-engine-c0ffee'], imagePushedAt: at(5) },
          { imageDigest: digest('d'), imageTags: [`sha256-${'b'.repeat(64)}.sig`], imagePushedAt: at(4) },
        ],
      });
    expect(await resolver(`${registry}/epsilon-dev/ml-engine`).resolve(['ml-engine'])).toEqual({
      'ml-engine': `${registry}/epsilon-dev/ml-engine@${digest('b')}`,
    });
    const asked = {
      registryId: '123456789012',
      repositoryName: 'epsilon-dev/ml-engine',
      filter: { tagStatus: 'TAGGED' },
      maxResults: 1_000,
    };
    expect(ecr.commandCalls(DescribeImagesCommand).map((call) => call.args[0].input)).toEqual([
      asked,
      { ...asked, nextToken: 'next' },
    ]);
  });

  it('the resolver takes the tag that a reference names', async () => {
    ecr
      .on(DescribeImagesCommand)
      .resolves({ imageDetails: [{ imageDigest: digest('a'), imageTags: ['1.0.0'], imagePushedAt: at(1) }] });
    expect(await resolver(`${registry}/epsilon/ml-engine:1.0.0`).resolve(['ml-engine'])).toEqual({
      'ml-engine': `${registry}/epsilon/ml-engine@${digest('a')}`,
    });
    expect(ecr.commandCalls(DescribeImagesCommand)[0]?.args[0].input).toEqual({
      registryId: '123456789012',
      repositoryName: 'epsilon/ml-engine',
      imageIds: [{ imageTag: '1.0.0' }],
    });
  });

  it('the resolver takes a digest as it is, whatever tag precedes it, without a call', async () => {
    expect(await resolver(`host:5000/ml-engine:v1@${digest('e')}`).resolve(['ml-engine'])).toEqual({
      'ml-engine': `host:5000/ml-engine@${digest('e')}`,
    });
    expect(ecr.calls()).toHaveLength(0);
  });

  it.each([
    ['v3', 'epsilon/ml-engine', 'v3'],
    ['acme/trainer:v3', 'acme/trainer', 'v3'],
  ])(
    'the resolver looks %s of a workload up in the registry of the own repository',
    async (release, repositoryName, imageTag) => {
      ecr.on(DescribeImagesCommand).resolves({
        imageDetails: [{ imageDigest: digest('a'), imageTags: [imageTag], imagePushedAt: at(1) }],
      });
      const workloads = { mine: { modelTypes: {}, model: 'm', images: { 'ml-engine': release } } };
      const repositoryUrls = { 'ml-engine': `${registry}/epsilon/ml-engine:1.0.0` };
      const images = createImageResolver({
        client,
        repositoryUrls,
        workloads,
        clock: new VirtualClock(0),
        fetch,
      });
      expect(await images.resolve(['ml-engine'], 'mine')).toEqual({
        'ml-engine': `${registry}/${repositoryName}@${digest('a')}`,
      });
      expect(ecr.commandCalls(DescribeImagesCommand)[0]?.args[0].input).toEqual({
        registryId: '123456789012',
        repositoryName,
        imageIds: [{ imageTag }],
      });
    },
  );

  it('the resolver calls once a minute however many runs begin, and again after a failure', async () => {
    const clock = new VirtualClock(0);
    ecr
      .on(DescribeImagesCommand)
      .rejectsOnce(failing('ThrottlingException'))
      .resolves({ imageDetails: [{ imageDigest: digest('a'), imageTags: ['1'], imagePushedAt: at(1) }] });
    const images = resolver(`${registry}/epsilon/ml-engine`, clock);
    await expect(images.resolve(['ml-engine'])).rejects.toMatchObject({ name: 'Throttled', retryable: true });
    await Promise.all([images.resolve(['ml-engine']), images.resolve(['ml-engine'])]);
    expect(ecr.calls()).toHaveLength(2);
    await clock.advance(60_000);
    await images.resolve(['ml-engine']);
    expect(ecr.calls()).toHaveLength(3);
  });

  it.each([
    ['RepositoryNotFoundException', 'there is no such repository'],
    ['ImageNotFoundException', 'there is no image with this tag'],
  ])('IMAGE_NOT_FOUND names the repository on %s', async (name, reason) => {
    ecr.on(DescribeImagesCommand).rejects(failing(name));
    await expect(resolver(`${registry}/epsilon/ml-engine:9`).resolve(['ml-engine'])).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringMatching(new RegExp(`${registry}/epsilon/ml-engine:9: ${reason}`)),
    });
  });

  it('IMAGE_NOT_FOUND when nothing tagged was pushed, or no repository is known', async () => {
    ecr.on(DescribeImagesCommand).resolves({ imageDetails: [] });
    await expect(resolver(`${registry}/epsilon/ml-engine`).resolve(['ml-engine'])).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringContaining('epsilon/ml-engine: it holds no tagged image yet'),
    });
    await expect(resolver(undefined).resolve(['ml-engine'])).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: 'No repository is known for image "ml-engine".',
    });
  });

  it.each([
    ['AccessDeniedException', { code: 'AWS_ACCESS_DENIED', details: { action: 'ecr:DescribeImages' } }],
    ['TimeoutError', { name: 'TimeoutError' }],
  ])('the resolver reports %s with a code of its own', async (name, told) => {
    ecr.on(DescribeImagesCommand).rejects(failing(name));
    await expect(resolver(`${registry}/epsilon/ml-engine`).resolve(['ml-engine'])).rejects.toMatchObject(
      told,
    );
  });
});
