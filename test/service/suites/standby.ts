import { expect, it } from 'vitest';
import type { Place } from '../../../infra/serverless/plugin/place.ts';
import { ssmParameterName, standbyParameters } from '../../../lib/config/ssm-parameters.ts';
import { readYaml } from '../../../local/declaration/read-yaml.ts';
import type { Packaged } from '../packaging.ts';
import { at, list, ofType, roleStatements } from '../template.ts';

/** Whatever else a role there allows. */
const homeDenied = {
  effect: 'Deny',
  actions: ['*'],
  resources: ['*'],
  condition: { StringEquals: { 'aws:RequestedRegion': 'us-west-2' } },
};

/** What stands idle in the other region. */
export function checkStandby(packaged: () => Packaged): void {
  const resources = () => packaged().template.Resources;

  it('has what restores, drills and watches, and nothing that trains', () => {
    const { stands } = readYaml('infra/serverless/places/standby.yml') as {
      stands: Required<Place>['stands'];
    };
    const functions = ofType(packaged().template, 'AWS::Lambda::Function').map(
      ([, one]) => one.Properties['FunctionName'],
    );
    expect([...functions].sort()).toEqual(stands.functions.map((key) => `epsilon-prod-${key}`).sort());
    expect(ofType(packaged().template, 'AWS::StepFunctions::StateMachine')).toHaveLength(2);
    for (const id of stands.resources) expect(resources(), id).toHaveProperty([id]);
    const [[, table] = []] = ofType(packaged().template, 'AWS::DynamoDB::GlobalTable');
    expect(table?.Properties['TableName']).toBe('epsilon-prod-recovery');
    expect(list(table?.Properties['Replicas'])).toHaveLength(1);
  });

  it('denies every role of its own whatever is asked of the home region', () => {
    const roles = ofType(packaged().template, 'AWS::IAM::Role').filter(
      ([
        ,
        {
          Properties: { AssumeRolePolicyDocument: trust },
        },
      ]) => JSON.stringify(trust).includes('lambda.amazonaws.com'),
    );
    expect(roles).toHaveLength(8);
    for (const [id] of roles) {
      const denied = roleStatements(packaged().template, id).filter(({ effect }) => effect === 'Deny');
      expect(denied, id).toEqual([homeDenied]);
    }
    // No statement that allows something names the home region either.
    const { EPSILON_REGION: home } = at(
      resources()['OpenRestoreLambdaFunction']?.Properties,
      'Environment',
      'Variables',
    ) as Record<string, string>;
    expect(home).toBe('us-west-2');
    const allowing = roles
      .flatMap(([id]) => roleStatements(packaged().template, id))
      .filter(({ effect }) => effect === 'Allow');
    expect(JSON.stringify(allowing)).not.toContain('us-west-2');
  });

  it('runs the drill and the watcher there, and their alarms ring when they are silent', () => {
    const schedules = ofType(packaged().template, 'AWS::Scheduler::Schedule');
    expect(
      schedules
        .map(
          ([
            id,
            {
              Properties: { State: state },
            },
          ]) => [id, state],
        )
        .sort(),
    ).toEqual([
      ['RestoreDrillSchedule', 'ENABLED'],
      ['WatchRecoverySchedule', 'ENABLED'],
    ]);
    for (const id of ['RecoveryPointOldAlarm', 'RestoreDrillMissingAlarm'])
      expect(resources()[id]?.Properties['TreatMissingData'], id).toBe('breaching');
    // Nothing there counts what trains; an alarm on its silence would never end.
    expect(JSON.stringify(resources())).not.toContain('ReconcilerPasses');
  });

  it('reads only parameters that infrastructure writes into that region', () => {
    const written = new Set(standbyParameters.map((name) => ssmParameterName('prod', name)));
    const read = Object.values(packaged().template.Parameters).map(({ Default: name }) => name);
    expect(read.filter((name) => !written.has(name))).toEqual([]);
    expect(read.length).toBe(written.size);
  });
}

/** The whole service in the other region, on what was restored there. */
export function checkThere(packaged: () => Packaged): void {
  const text = (value: unknown) => JSON.stringify(value);

  it('has every function and machine, those that train on restored tables and the replica of the bucket', () => {
    const { template } = packaged();
    const functions = ofType(template, 'AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(40);
    const training = functions.find(([id]) => id === 'BeginRunLambdaFunction')?.[1].Properties;
    expect(at(training, 'Environment', 'Variables')).toMatchObject({
      EPSILON_REGION: 'us-east-1',
      EPSILON_DATA_BUCKET: expect.stringMatching(/-replica$/),
      EPSILON_AWS_PLACE_TABLE_NAME: 'epsilon-prod-recovery',
    });
    const allowed = roleStatements(template, 'BeginRunRole').filter(({ effect }) => effect === 'Allow');
    expect(text(allowed)).toContain('table/epsilon-prod-restore-*');
    expect(text(allowed)).not.toMatch(/s3:::embeddings-saas-data(?!-replica)/);
  });

  it('asks nothing of the home region', () => {
    const { template } = packaged();
    for (const [id] of ofType(template, 'AWS::Lambda::Function')) {
      const statements = roleStatements(template, id.replace('LambdaFunction', 'Role'));
      expect(statements, id).toContainEqual(homeDenied);
      expect(text(statements.filter(({ effect }) => effect === 'Allow')), id).not.toContain('us-west-2');
    }
  });

  it('starts nothing by itself but what watches and drills', () => {
    const enabled = ofType(packaged().template, 'AWS::Scheduler::Schedule').filter(
      ([, { Properties: properties }]) => properties['State'] !== 'DISABLED',
    );
    expect(enabled.map(([id]) => id).sort()).toEqual(['RestoreDrillSchedule', 'WatchRecoverySchedule']);
  });
}
