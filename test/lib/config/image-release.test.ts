import { describe, expect, it } from 'vitest';
import { furtherRepositories, parseImageRelease } from '../../../lib/config/image-release.ts';
import { workloadsSchema } from '../../../lib/config/workloads.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('the image of a workload', () => {
  it.each([
    ['v12', { tag: 'v12' }],
    [digest, { digest }],
    ['acme/trainer:v3', { repository: 'acme/trainer', tag: 'v3' }],
    [`acme/deep/train-er@${digest}`, { repository: 'acme/deep/train-er', digest }],
    // ECR's own rule: a tag may begin with an underscore, a repository may have dots after its first part.
    ['acme/tr.ai_ner:_x', { repository: 'acme/tr.ai_ner', tag: '_x' }],
  ])('%s is read', (given, told) => {
    expect(parseImageRelease(given)).toEqual({
      repository: undefined,
      tag: undefined,
      digest: undefined,
      ...told,
    });
  });

  it.each([
    'acme/trainer',
    'acme/trainer:',
    `acme/trainer:${digest}`,
    'acme/trainer@v1',
    '123456789012.dkr.ecr.us-west-2.amazonaws.com/acme/trainer:v1',
    'ghcr.io/acme/trainer:v1',
    'localhost:5000/trainer:v1',
    'Acme/trainer:v1',
    'acme//trainer:v1',
    '../trainer:v1',
    '*:v1',
    'acme/*:v1',
    '${AWS::Region}:v1',
    `${'a/'.repeat(128)}a:v1`,
    'sha256:abc@v',
    '',
  ])('%s is none', (given) => {
    expect(parseImageRelease(given)).toBeUndefined();
  });

  it('adds its repository to the list, each once', () => {
    const of = (images: Record<string, string>) => ({ modelTypes: { a: {} }, images });
    const workloads = workloadsSchema.parse({
      reference: of({ deployer: 'v1' }),
      one: of({ 'ml-engine': 'b/train:v1', deployer: `a/check@${digest}` }),
      two: of({ 'ml-engine': 'b/train:v2' }),
      none: { modelTypes: { a: {} } },
    });
    expect(furtherRepositories(workloads)).toEqual(['a/check', 'b/train']);
    expect(furtherRepositories(workloads, 'deployer')).toEqual(['a/check']);
  });
});
