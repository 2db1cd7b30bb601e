import { expect, it } from 'vitest';
import { tableActions, tokenKeyActions } from '../../dynamodb/table-schema.ts';
import { explainedStars } from '../explained-resources.ts';
import type { Packaged } from '../packaging.ts';
import { at, idIn, list, ofType, roleStatements, type Statement } from '../template.ts';

/** First parts of the table's partition keys (docs/table.md) and of its index. */
const partitions =
  /^(TENANTS|IMAGES|RELEASES|RETIRED|RECOVERY#[a-z]+|(TENANT|DATE|NIGHT|RUN|CLAIM|LOCK|TOKENKEY|BUDGET|ATTEMPT|MODEL)#\*)$/;

const starOf = (action: string) => explainedStars.find(({ actions }) => actions.includes(action));

/** What every role must keep to. Returns the stars that were found, so that explanations nobody needs are noticed. */
export function checkRoles(packaged: () => Packaged, starsUsed: Set<string>): void {
  const roles = () => ofType(packaged().template, 'AWS::IAM::Role');
  const statements = (id: string) => roleStatements(packaged().template, id);
  const all = () => roles().flatMap(([id]) => statements(id).map((statement) => ({ id, statement })));

  it('has statements to look at', () => {
    expect(roles().length).toBeGreaterThanOrEqual(14);
    for (const [id] of roles()) expect(statements(id).length, id).toBeGreaterThan(0);
  });

  it('is in the path of the service, under the boundary that infrastructure sets', () => {
    const { environment } = packaged();
    for (const [id, { Properties: properties }] of roles())
      expect([id, properties['Path'], at(properties, 'PermissionsBoundary', 'Fn::Sub')]).toEqual([
        id,
        `/epsilon/${environment}/`,
        `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:policy/epsilon-${environment}-service-boundary`,
      ]);
  });

  it('takes no managed policy and no wildcard in an action', () => {
    for (const [id, { Properties: properties }] of roles())
      expect(properties['ManagedPolicyArns'], id).toBeUndefined();
    for (const { id, statement } of all())
      for (const action of statement.actions) expect(action, id).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
  });

  it('names a resource wherever AWS has one, or says why not', () => {
    for (const { id, statement } of all()) {
      if (statement.effect !== 'Allow' || !statement.resources.includes('*')) continue;
      for (const action of statement.actions) {
        expect(starOf(action), `${id}: ${action} on *`).toBeDefined();
        starsUsed.add(action);
      }
    }
  });

  it('holds every function to the partitions of the table that it works in', () => {
    const known = new Set<string>(tableActions);
    let seen = 0;
    for (const { id, statement } of all()) {
      // Describing the table touches no item; tables of the other region are held by their names.
      if (!statement.actions.some((action) => /^dynamodb:(?!Describe)/.test(action))) continue;
      if (!statement.resources.some((one) => idIn(one) === 'ControlTable')) continue;
      seen += 1;
      for (const action of statement.actions) expect(known.has(action), `${id}: ${action}`).toBe(true);
      const keys = list(at(statement.condition, 'ForAllValues:StringLike', 'dynamodb:LeadingKeys'));
      expect(keys.length, id).toBeGreaterThan(0);
      for (const key of keys) expect(key, id).toMatch(partitions);
    }
    expect(seen).toBeGreaterThanOrEqual(10);
  });

  it('lets only functions that seal or answer tokens use the token key, for that purpose', () => {
    const uses = (statement: Statement) =>
      statement.resources.some((resource) => idIn(resource) === 'TaskTokenKey');
    const users = all().filter(({ statement }) => uses(statement));
    expect(users.map(({ id }) => id).sort()).toEqual([
      'AskActRole',
      'AwaitConsumersRole',
      'CompleteJobRole',
      'HoldRestoreRole',
      'HoldSnapshotRole',
      'ReconcileJobsRole',
      'SubmitStageRole',
      'WakeBackupRole',
      'WakeRestoreRole',
    ]);
    for (const { id, statement } of users) {
      for (const action of statement.actions) expect(tokenKeyActions, `${id}: ${action}`).toContain(action);
      expect(at(statement.condition, 'StringEquals', 'kms:EncryptionContext:epsilon:purpose'), id).toBe(
        'task-token',
      );
    }
  });

  it('lets the functions that submit do all that a submission takes, and those that read results see that one is missing', () => {
    const takes = [
      'batch:DescribeJobDefinitions',
      'batch:DescribeJobs',
      'batch:ListJobs',
      'batch:RegisterJobDefinition',
      'batch:SubmitJob',
      'batch:TagResource',
      'iam:PassRole',
    ];
    const having = (action: string) =>
      roles().filter(([id]) => statements(id).some(({ actions }) => actions.includes(action)));
    const submitters = having('batch:SubmitJob').map(([id]) => id);
    expect(submitters.sort()).toEqual(['ReconcileJobsRole', 'SubmitStageRole']);
    for (const id of submitters) {
      const granted = statements(id).flatMap(({ actions }) => actions);
      for (const action of takes) expect(granted, id).toContain(action);
      expect(granted.includes('kms:GenerateDataKey'), id).toBe(true);
    }
    const readers = roles().filter(([id]) =>
      statements(id).some(({ resources }) => JSON.stringify(resources).includes('result.json')),
    );
    expect(readers.length).toBeGreaterThanOrEqual(5);
    for (const [id] of readers)
      expect(
        statements(id).flatMap(({ actions }) => actions),
        id,
      ).toContain('s3:ListBucket');
  });

  it('keeps the network interfaces of functions out of the reach of their code', () => {
    const denied = all().filter(({ statement }) => statement.effect === 'Deny');
    const networked = ofType(packaged().template, 'AWS::Lambda::Function').filter(
      ([, { Properties: properties }]) => properties['VpcConfig'] !== undefined,
    );
    expect(denied).toHaveLength(networked.length);
    for (const { id, statement } of denied)
      expect(at(statement.condition, 'ArnLike', 'lambda:SourceFunctionArn'), id).toBeDefined();
  });
}

/** Explanations that no environment needs any more. */
export function unusedStars(used: ReadonlySet<string>): string[] {
  return explainedStars.flatMap(({ actions }) => actions).filter((action) => !used.has(action));
}
