import type { Statements, Tree } from './declared.ts';

const sub = (text: string) => ({ 'Fn::Sub': text });

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** A statement on images with more repositories; any other statement as it is. */
function withImages(statement: Tree, repositories: readonly string[]): Tree {
  if (asList(statement['Action']).includes('ecr:DescribeImages')) {
    const arns = repositories.map((name) =>
      sub(`arn:\${AWS::Partition}:ecr:\${AWS::Region}:\${AWS::AccountId}:repository/${name}`),
    );
    return { ...statement, Resource: [...asList(statement['Resource']), ...arns] };
  }
  const condition = statement['Condition'] as Tree | undefined;
  const like = condition?.['StringLike'] as Tree | undefined;
  if (like?.['batch:Image'] === undefined) return statement;
  const images = repositories.map((name) =>
    sub(`\${AWS::AccountId}.dkr.ecr.\${AWS::Region}.\${AWS::URLSuffix}/${name}@sha256:*`),
  );
  const image = [...asList(like['batch:Image']), ...images];
  return { ...statement, Condition: { ...condition, StringLike: { ...like, 'batch:Image': image } } };
}

/**
 * Statements that name the repositories of images with those that workloads name besides: whoever looks images up or registers a Batch
 * definition may do so with these, and with no others.
 */
export function withFurtherRepositories(
  statements: Readonly<Record<string, Statements>>,
  repositories: readonly string[],
): Readonly<Record<string, Statements>> {
  if (repositories.length === 0) return statements;
  return Object.fromEntries(
    Object.entries(statements).map(([key, list]) => [
      key,
      list.map((statement) => withImages(statement, repositories)),
    ]),
  );
}
