import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  CreateStateMachineAliasCommand,
  ListStateMachinesCommand,
  PublishStateMachineVersionCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import type { Clients } from '../../../lib/aws/wiring/clients.ts';
import { forEmulator, type Removed, type Template } from './template.ts';

type Variables = Readonly<Record<string, string | undefined>>;

function serverless(args: readonly string[], variables: Variables): void {
  const command = resolve('node_modules', '.bin', 'serverless');
  // A bundler that met an error keeps Serverless from ending: it is ended here.
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: variables,
    encoding: 'utf8',
    timeout: 1_800_000,
    killSignal: 'SIGKILL',
  });
  if (status !== 0)
    throw new Error(`serverless ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
}

/** Packages the service and takes out of the package what the emulator does not know. */
function packageFor(folder: string, variables: Variables): Removed {
  serverless(['package', '--stage', 'dev', '--package', folder], variables);
  const file = join(folder, 'serverless-state.json');
  const state = JSON.parse(readFileSync(file, 'utf8')) as {
    service: { provider: { compiledCloudFormationTemplate: Template } };
  };
  const removed = forEmulator(state.service.provider.compiledCloudFormationTemplate);
  writeFileSync(file, JSON.stringify(state));
  return removed;
}

/** Makes the aliases with the service's own calls, as the template's resources would have. */
async function makeAliases(clients: Clients, { aliases }: Removed): Promise<number> {
  const states = clients.of(SFNClient);
  const { stateMachines = [] } = await states.send(new ListStateMachinesCommand({}));
  let made = 0;
  for (const { machine, name } of aliases) {
    // Logical ids are the names in capitals: TenantModelTraining is epsilon-dev-tenant-model-training.
    const key = machine.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    const stateMachineArn = stateMachines.find((each) => each.name === `epsilon-dev-${key}`)?.stateMachineArn;
    if (stateMachineArn === undefined) throw new Error(`state machine ${key} was not deployed`);
    const { stateMachineVersionArn } = await states.send(
      new PublishStateMachineVersionCommand({ stateMachineArn }),
    );
    await states.send(
      new CreateStateMachineAliasCommand({
        name,
        routingConfiguration: [{ stateMachineVersionArn, weight: 100 }],
      }),
    );
    made += 1;
  }
  return made;
}

/** Deploys the service with Serverless itself into the emulator. Gives what the template had to do without. */
export async function deploy(clients: Clients, folder: string, variables: Variables): Promise<Removed> {
  const packaged = join(folder, 'package');
  const removed = packageFor(packaged, variables);
  serverless(['deploy', '--stage', 'dev', '--package', packaged], variables);
  const made = await makeAliases(clients, removed);
  if (made === 0) throw new Error('no alias was made; machines that schedules and people start have one');
  return removed;
}
