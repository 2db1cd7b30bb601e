/** A CloudFormation template, as far as it is changed here. */
export interface Template {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, unknown>;
}

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  DependsOn?: string | string[];
}

/** An alias that the template would have made: the test makes it with the service's own calls. */
export interface MachineAlias {
  /** Logical id of the machine. */
  readonly machine: string;
  readonly name: string;
}

/** What the emulator does not take of a resource; undefined when it takes it. */
function refusal({ Type, Properties }: Resource): string | undefined {
  if (unknownTypes.has(Type)) return Type;
  const math = Type === 'AWS::CloudWatch::Alarm' && Properties?.['Metrics'] !== undefined;
  return math ? 'AWS::CloudWatch::Alarm over metric math' : undefined;
}

/** What was taken out of a template. */
export interface Removed {
  readonly types: readonly string[];
  readonly aliases: readonly MachineAlias[];
}

/** Types that the emulator refuses. */
const unknownTypes: ReadonlySet<string> = new Set([
  'AWS::Events::Archive',
  'AWS::StepFunctions::StateMachineVersion',
  'AWS::StepFunctions::StateMachineAlias',
]);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function refOf(value: unknown): string | undefined {
  const ref = isRecord(value) ? value['Ref'] : undefined;
  return typeof ref === 'string' ? ref : undefined;
}

function aliasesOf(resources: Template['Resources']): Map<string, MachineAlias> {
  const machineOfVersion = new Map<string, string>();
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    const machine = refOf(Properties?.['StateMachineArn']);
    if (Type === 'AWS::StepFunctions::StateMachineVersion' && machine) machineOfVersion.set(id, machine);
  }
  const aliases = new Map<string, MachineAlias>();
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    if (Type !== 'AWS::StepFunctions::StateMachineAlias') continue;
    const preference = Properties?.['DeploymentPreference'];
    const version = isRecord(preference) ? refOf(preference['StateMachineVersionArn']) : undefined;
    const machine = machineOfVersion.get(version ?? '');
    if (machine) aliases.set(id, { machine, name: String(Properties?.['Name']) });
  }
  return aliases;
}

/** The service says 0 until an execution is redriven; the emulator says nothing, and nothing is an error in JSONata. */
const redriveCount = '$states.context.Execution.RedriveCount';

/** The value with references to removed aliases spelt out as the ARN that they will have. */
function spelt(value: unknown, aliases: ReadonlyMap<string, MachineAlias>): unknown {
  if (Array.isArray(value)) return value.map((each) => spelt(each, aliases));
  if (!isRecord(value)) {
    if (typeof value !== 'string') return value;
    return [...aliases].reduce(
      (text, [id, { machine, name }]) => text.replaceAll(`\${${id}}`, `\${${machine}}:${name}`),
      value.replaceAll(redriveCount, '0'),
    );
  }
  const alias = aliases.get(refOf(value) ?? '');
  if (alias) return { 'Fn::Join': [':', [{ Ref: alias.machine }, alias.name]] };
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, spelt(each, aliases)]));
}

function references(value: unknown, gone: ReadonlySet<string>): boolean {
  if (Array.isArray(value)) return value.some((each) => references(each, gone));
  if (!isRecord(value)) return false;
  const target = value['Fn::GetAtt'];
  const named = refOf(value) ?? (Array.isArray(target) ? String(target[0]) : '');
  return gone.has(named) || Object.values(value).some((each) => references(each, gone));
}

/** Takes out what the emulator does not know; throws when something else depends on it in a way that is not spelt out. */
export function forEmulator(template: Template): Removed {
  const aliases = aliasesOf(template.Resources);
  const gone = new Set<string>();
  const types = new Set<string>();
  for (const [id, resource] of Object.entries(template.Resources)) {
    const refused = refusal(resource);
    if (refused === undefined) continue;
    gone.add(id);
    types.add(refused);
  }
  for (const id of gone) delete template.Resources[id];
  for (const [id, resource] of Object.entries(template.Resources)) {
    const { DependsOn = [], ...rest } = spelt(resource, aliases) as Resource;
    const left = [DependsOn].flat().filter((each) => !gone.has(each));
    const changed = { ...rest, ...(left.length > 0 ? { DependsOn: left } : {}) };
    if (references(changed, gone)) throw new Error(`${id} needs a resource that the emulator does not know`);
    template.Resources[id] = changed;
  }
  if (template.Outputs)
    template.Outputs = Object.fromEntries(
      Object.entries(template.Outputs).filter(([, output]) => !references(output, gone)),
    );
  return { types: [...types].sort(), aliases: [...aliases.values()] };
}
