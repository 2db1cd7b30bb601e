import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Statements } from '../../infra/serverless/plugin/declared.ts';
import { withFurtherRepositories } from '../../infra/serverless/plugin/further-repositories.ts';

const customTags = ['!Sub', '!Ref', '!GetAtt', '!Select', '!Split'].flatMap((tag) => [
  { tag, resolve: (text: string) => text },
  { tag, collection: 'seq' as const },
  { tag, collection: 'map' as const },
]);
const training = parse(readFileSync('infra/serverless/roles/training.yml', 'utf8'), {
  customTags,
  merge: true,
  logLevel: 'silent',
}) as Record<string, Statements>;

describe('the roles of an environment whose workloads name repositories', () => {
  it('look up and register images of these, each function that does so for its own', () => {
    const changed = withFurtherRepositories(training, ['acme/trainer']);
    const differing = Object.keys(training).filter(
      (key) => JSON.stringify(training[key]) !== JSON.stringify(changed[key]),
    );
    const speaking = Object.keys(training).filter((key) =>
      /ecr:DescribeImages|batch:Image/.test(JSON.stringify(training[key])),
    );
    expect(differing).toEqual(speaking);
    expect(differing).toContain('beginRun');
    expect(differing).toContain('submitStage');
    const added = JSON.stringify(changed['beginRun']);
    expect(added).toContain(
      '{"Fn::Sub":"arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/acme/trainer"}',
    );
    const register = changed['submitStage']?.find(({ Action }) => Action === 'batch:RegisterJobDefinition');
    expect(register?.['Condition']).toMatchObject({
      Bool: { 'batch:Privileged': 'false' },
      StringLike: {
        'batch:Image': [
          ...['DataPipelineUrl', 'MlEngineUrl', 'DeployerUrl'].map((url) => `\${${url}}@sha256:*`),
          {
            'Fn::Sub': '${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/acme/trainer@sha256:*',
          },
        ],
      },
    });
  });

  it('are what people wrote where no workload names one', () => {
    expect(withFurtherRepositories(training, [])).toBe(training);
  });
});
