import { expect, it } from 'vitest';
import { machines as catalogue } from '../../../lib/machines/catalogue.ts';
import type { Packaged } from '../packaging.ts';
import { at, definitionOf, everyValue, idIn, list, ofType, roleStatements } from '../template.ts';

const machineType = 'AWS::StepFunctions::StateMachine';

/** The version that a release tries: known when the machine runs. */
const canaryArn = '{% $version.canary %}';

/** The release's role first. */
const byRole = ({ role }: { readonly role: string }) => (role === 'ReleaseRole' ? -1 : 1);

/** What makes a deploy safe for runs in flight. */
export function checkMachines(packaged: () => Packaged): void {
  const template = () => packaged().template;
  const machines = () => ofType(template(), machineType);
  const typeOf = (id: string | undefined) => template().Resources[id ?? '']?.Type;

  it('holds the machines in JSONata, with a role of their own each, traced, logged without execution data', () => {
    expect(machines()).toHaveLength(catalogue.length);
    const roles = machines().map(([, { Properties: p }]) => idIn(p['RoleArn']));
    expect(new Set(roles).size).toBe(machines().length);
    for (const [id, machine] of machines()) {
      const { Properties: properties } = machine;
      expect(at(definitionOf(machine), 'QueryLanguage'), id).toBe('JSONata');
      expect(properties['TracingConfiguration'], id).toEqual({ Enabled: true });
      expect(properties['LoggingConfiguration'], id).toMatchObject({
        Level: 'ALL',
        IncludeExecutionData: false,
      });
      const group = idIn(
        at(properties, 'LoggingConfiguration', 'Destinations', 0, 'CloudWatchLogsLogGroup', 'LogGroupArn'),
      );
      expect(String(template().Resources[group ?? '']?.Properties['LogGroupName']), id).toMatch(
        /^\/aws\/vendedlogs\//,
      );
    }
  });

  it('F50: names exact versions of functions, which no deploy deletes, in every machine', () => {
    for (const [id, machine] of machines()) {
      const called = everyValue(definitionOf(machine), 'FunctionName').map(idIn);
      expect(called.length, id).toBeGreaterThan(0);
      for (const version of called) {
        expect(typeOf(version), `${id} calls ${version}`).toBe('AWS::Lambda::Version');
        const resource = template().Resources[version ?? ''];
        expect(resource?.DeletionPolicy, version).toBe('Retain');
        expect(resource?.UpdateReplacePolicy, version).toBe('Retain');
      }
    }
  });

  it('F50: publishes a version of each machine with every change of it, and keeps the ones before', () => {
    const versions = ofType(template(), 'AWS::StepFunctions::StateMachineVersion');
    expect(versions.map(([, { Properties: p }]) => idIn(p['StateMachineArn'])).sort()).toEqual(
      machines()
        .map(([id]) => id)
        .sort(),
    );
    for (const [
      id,
      { Properties: properties, DeletionPolicy: deleted, UpdateReplacePolicy: replaced },
    ] of versions) {
      expect([deleted, replaced], id).toEqual(['Retain', 'Retain']);
      expect(properties['StateMachineRevisionId'], id).toEqual({
        'Fn::GetAtt': [idIn(properties['StateMachineArn']), 'StateMachineRevisionId'],
      });
    }
  });

  it('F50: moves the alias of each machine step by step, and back when an alarm rings', () => {
    const aliases = ofType(template(), 'AWS::StepFunctions::StateMachineAlias');
    expect(aliases).toHaveLength(machines().length);
    for (const [id, { Properties: properties }] of aliases) {
      expect(properties['Name'], id).toBe('live');
      expect(at(properties, 'DeploymentPreference', 'Type'), id).toBe('CANARY');
      expect(typeOf(idIn(at(properties, 'DeploymentPreference', 'StateMachineVersionArn'))), id).toBe(
        'AWS::StepFunctions::StateMachineVersion',
      );
      const alarms = list(at(properties, 'DeploymentPreference', 'Alarms'));
      expect(alarms.length, id).toBeGreaterThan(0);
      // CloudWatch takes an alarm that does not exist for one that is quiet.
      for (const alarm of alarms) expect(typeOf(idIn(alarm)), id).toBe('AWS::CloudWatch::Alarm');
    }
  });

  it('F50: starts machines through their alias everywhere', () => {
    const byMachines = machines().flatMap(([, machine]) =>
      everyValue(definitionOf(machine), 'StateMachineArn').filter((arn) => arn !== canaryArn),
    );
    const bySchedules = ofType(template(), 'AWS::Scheduler::Schedule')
      .map(([, { Properties: p }]) => at(p, 'Target', 'Arn'))
      .filter((arn) => typeOf(idIn(arn)) !== 'AWS::Lambda::Function');
    expect(byMachines.length).toBeGreaterThanOrEqual(1);
    expect(bySchedules.length).toBeGreaterThanOrEqual(1);
    for (const arn of [...byMachines, ...bySchedules])
      expect(typeOf(idIn(arn))).toBe('AWS::StepFunctions::StateMachineAlias');
  });

  it('lets roles call versions of functions and begin executions through the alias only', () => {
    for (const [id, { Properties: properties }] of machines()) {
      const role = idIn(properties['RoleArn']) ?? '';
      const invoked = roleStatements(template(), role).filter(({ actions }) =>
        actions.includes('lambda:InvokeFunction'),
      );
      for (const resource of invoked.flatMap(({ resources }) => resources))
        expect(String(at(resource, 'Fn::Sub')), id).toMatch(/\.Arn\}:\*$/);
    }
    const starting = ofType(template(), 'AWS::IAM::Role').flatMap(([role]) =>
      roleStatements(template(), role)
        .filter(({ actions }) => actions.includes('states:StartExecution'))
        .map((statement) => ({ role, ...statement })),
    );
    const through = starting.filter(
      ({ condition }) => at(condition, 'ForAnyValue:StringEquals', 'states:StateMachineQualifier') === 'live',
    );
    expect(through.map(({ role }) => role)).toEqual(
      expect.arrayContaining(['SchedulerRole', 'NightlyTrainingRole']),
    );
    const [canary, ...others] = starting.filter((one) => !through.includes(one)).toSorted(byRole);
    // A release begins its canary on the version that the alias only begins to start.
    expect(canary?.role).toBe('ReleaseRole');
    expect(at(canary?.condition, 'ForAnyValue:StringLike', 'states:StateMachineQualifier')).toBe('?*');
    for (const { role, resources, condition } of others) {
      // The distributed Map begins its children on its own machine.
      expect(condition, role).toBeUndefined();
      const { Properties: own } =
        machines()
          .map(([, machine]) => machine)
          .find(({ Properties: p }) => idIn(p['RoleArn']) === role) ?? {};
      expect(JSON.stringify(resources), role).toContain(`stateMachine:${String(own?.['StateMachineName'])}"`);
    }
  });

  it('leaves no name unresolved', () => {
    const declared = new Set([...Object.keys(template().Resources), ...Object.keys(template().Parameters)]);
    const references = [
      ...everyValue(template() as never, 'Ref'),
      ...everyValue(template() as never, 'Fn::GetAtt').map((value) => list(value)[0] ?? ''),
    ];
    for (const reference of references.map((value) => String(value).split('.')[0] ?? ''))
      expect(declared.has(reference) || reference.startsWith('AWS::'), reference).toBe(true);
  });
}
