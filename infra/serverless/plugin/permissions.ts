import { functionIds } from '../../../lib/config/logical-ids.ts';
import {
  arnOf,
  type Declared,
  invalid,
  type Resource,
  type Resources,
  ref,
  type Statements,
  type Trigger,
  triggersOf,
} from './declared.ts';
import { role } from './roles.ts';

/** `number` distinguishes the functions of a rule: `JobStateChangePermission`, then `JobStateChange2Permission`. */
function permission({ id, key }: Trigger, number: number): [string, Resource] {
  return [
    id.replace(/(Rule)?$/, `${number === 1 ? '' : number}Permission`),
    {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: arnOf(functionIds(key).lambda),
        Principal: 'events.amazonaws.com',
        SourceArn: arnOf(id),
      },
    },
  ];
}

function permissions(triggers: readonly Trigger[]): Resources {
  const seen = new Map<string, number>();
  const found: Record<string, Resource> = {};
  for (const trigger of triggers) {
    const number = (seen.get(trigger.id) ?? 0) + 1;
    seen.set(trigger.id, number);
    const [id, resource] = permission(trigger, number);
    if (found[id] !== undefined)
      throw invalid(`${trigger.id}: its permission would be ${id}, as another rule's is.`);
    found[id] = resource;
  }
  return found;
}

/** Starts go through the alias, which IAM sees as a condition on the machine's own ARN. */
function startStatements({ machines }: Declared, triggers: readonly Trigger[]): Statements {
  const once = new Map(triggers.map((trigger) => [trigger.key, trigger]));
  return [...once.values()].map(({ kind, key }) =>
    kind === 'function'
      ? { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arnOf(functionIds(key).lambda) }
      : {
          Effect: 'Allow',
          Action: 'states:StartExecution',
          Resource: ref(machines[key]?.id ?? ''),
          Condition: { 'ForAnyValue:StringEquals': { 'states:StateMachineQualifier': 'live' } },
        },
  );
}

/**
 * Who may start what. A rule invokes a function by a permission of the function, and starts a machine through `RulesRole`
 * (which exists if a rule does so); schedules do both through `SchedulerRole`, which also opens the encrypted schedule
 * and leaves what it could not deliver in the queue.
 */
export function startRights(declared: Declared): Resources {
  const triggers = triggersOf(declared);
  const ofRules = triggers.filter(({ by }) => by === 'rule');
  const machinesOfRules = ofRules.filter(({ kind }) => kind === 'machine');
  const starting = (service: string, statements: Statements) =>
    role(declared.environment, { service, ofThisAccount: true }, { start: statements });
  return {
    ...permissions(ofRules.filter(({ kind }) => kind === 'function')),
    ...(machinesOfRules.length > 0 && {
      RulesRole: starting('events.amazonaws.com', startStatements(declared, machinesOfRules)),
    }),
    SchedulerRole: starting('scheduler.amazonaws.com', [
      ...startStatements(
        declared,
        triggers.filter(({ by }) => by === 'schedule'),
      ),
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf('EventsDeadLetters') },
      { Effect: 'Allow', Action: 'kms:Decrypt', Resource: ref('DataKeyArn') },
    ]),
  };
}
