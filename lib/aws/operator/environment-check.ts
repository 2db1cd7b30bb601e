import { ListStateMachineAliasesCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { environments } from '../../config/environments.ts';
import { ssmParameterName, ssmParameters } from '../../config/ssm-parameters.ts';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { Declared, EnvironmentReport } from '../../ports/environment-report.ts';
import type { OperatorPorts } from '../../ports/operator-ports.ts';
import { liveAlias, machineNames, type WorkflowLocation } from '../stepfunctions/machine-names.ts';
import { explainWorkflowError } from '../stepfunctions/workflow-errors.ts';
import { findParameters } from './parameters.ts';

/** What the check is made of. */
export interface EnvironmentCheckOptions {
  readonly control: Pick<
    OperatorPorts,
    'workflows' | 'schedules' | 'tenants' | 'runs' | 'objects' | 'config'
  >;
  readonly states: SFNClient;
  readonly parameters: SSMClient;
  readonly location: WorkflowLocation;
}

const sentence = (error: unknown) => (error as Error).message;

async function aliasFaults(
  { states, location }: EnvironmentCheckOptions,
  machines: readonly string[],
): Promise<string[]> {
  const names = machineNames(location);
  const faults: string[] = [];
  for (const machine of machines) {
    try {
      const stateMachineArn = names.machineArn(machine);
      const { stateMachineAliases = [] } = await states.send(
        new ListStateMachineAliasesCommand({ stateMachineArn }),
      );
      const aliased = stateMachineAliases.some(
        ({ stateMachineAliasArn }) => stateMachineAliasArn === names.aliasArn(machine),
      );
      if (!aliased)
        faults.push(`State machine ${machine} has no alias "${liveAlias}", so nothing can start it.`);
    } catch (error) {
      faults.push(sentence(explainWorkflowError(error, 'states:ListStateMachineAliases', machine)));
    }
  }
  return faults;
}

/** Looks at one thing; what goes wrong is a sentence. */
async function looked<T>(faults: string[], fallback: T, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof EpsilonError)) throw error;
    faults.push(error.message);
    return fallback;
  }
}

function missingOf(what: string, declared: readonly string[], found: readonly string[]): string[] {
  return declared
    .filter((name) => !found.includes(name))
    .map((name) => `${what} ${name} is declared but not deployed.`);
}

/** Tenants on Batch whose runs are looked at: one that succeeded is enough. */
const tenantsLookedAt = 20;

/**
 * That ECS names the session of a task's role after the task is not documented, and jobs on Batch get credentials by it. A run that
 * succeeded there confirms it, because there is no other way to credentials.
 */
async function credentialFaults({ control }: EnvironmentCheckOptions): Promise<string[]> {
  const onBatch = (await control.tenants.list()).filter(
    ({ backend, status }) => backend === 'batch' && status === 'active',
  );
  for (const { tenantId } of onBatch.slice(0, tenantsLookedAt)) {
    const runs = await control.runs.listRuns({ tenantId, limit: 10 });
    if (runs.some(({ backend, status }) => backend === 'batch' && status === 'succeeded')) return [];
  }
  const [first] = onBatch;
  if (!first) return [];
  return [
    `No job on Batch has got credentials yet: run tenant-model-training for "${first.tenantId}" before the first night (docs/deploy.md).`,
  ];
}

/** The schedule that asks for the bill. */
const billSchedule = 'record-bill';

/**
 * That the account holds another environment although its whole bill is taken for this one's: then training of the other looks like idle nodes
 * here.
 */
async function billFaults({ control, parameters, location }: EnvironmentCheckOptions): Promise<string[]> {
  if (control.config.billing.scope === 'tagged') return [];
  const others = environments.filter((name) => name !== 'local' && name !== location.environment);
  const names = ssmParameters.slice(0, 1).map(({ name }) => name);
  const found: string[] = [];
  for (const other of others)
    if ((await findParameters(parameters, other, names)).size > 0) found.push(other);
  return found.map(
    (other) =>
      `This account holds ${other}, too, and its whole bill is taken for that of ${location.environment}: set billing.scope to tagged (docs/cost.md).`,
  );
}

/** Holds an environment against what the service declares: parameters, machines with their alias, schedules, stores. */
export async function checkEnvironment(
  options: EnvironmentCheckOptions,
  declared: Declared,
): Promise<EnvironmentReport> {
  const { control, location, parameters } = options;
  const { environment, region, accountId } = location;
  const faults: string[] = [];
  const names = ssmParameters.map(({ name }) => name);
  const there = await looked(faults, new Map<string, string>(), () =>
    findParameters(parameters, environment, names),
  );
  for (const name of names)
    if (!there.has(name)) faults.push(`SSM parameter ${ssmParameterName(environment, name)} does not exist.`);
  const machines = await looked(faults, [], () => control.workflows.machines());
  faults.push(...missingOf('State machine', declared.machines, machines));
  faults.push(...(await aliasFaults(options, machines)));
  const schedules = await looked(faults, [], () => control.schedules.list());
  faults.push(
    ...missingOf(
      'Schedule',
      declared.schedules,
      schedules.map(({ name }) => name),
    ),
  );
  for (const { name, enabled } of schedules) if (!enabled) faults.push(`Schedule ${name} is disabled.`);
  faults.push(...(await looked(faults, [], () => credentialFaults(options))));
  if (schedules.some(({ name, enabled }) => enabled && name === billSchedule))
    faults.push(...(await looked(faults, [], () => billFaults(options))));
  await looked(faults, undefined, async () => {
    for await (const _ of control.objects.list(`s3://${control.config.dataBucket}/nights/`)) return;
  });
  return {
    environment,
    region,
    accountId,
    machines: machines.length,
    schedules: schedules.length,
    parameters: there.size,
    faults,
  };
}
