import { functionIds, machineIds } from '../../../lib/config/logical-ids.ts';
import { type Declared, type Resource, type Resources, ref } from './declared.ts';

const group = (name: string): Resource => ({
  Type: 'AWS::Logs::LogGroup',
  Properties: { LogGroupName: name, RetentionInDays: 90, KmsKeyId: ref('LogsKeyArn') },
});

/**
 * A log for every function and machine: kept for 90 days, encrypted. Those of machines have the prefix
 * `/aws/vendedlogs`, whose delivery needs no entry per group in the account's log policy, which has room for few.
 */
export function logGroups({ prefix, functions, machines }: Declared): Resources {
  return Object.fromEntries([
    ...Object.keys(functions).map((key) => [
      functionIds(key).logGroup,
      group(`/aws/lambda/${prefix}-${key}`),
    ]),
    ...Object.values(machines).map(({ id, name }) => [
      machineIds(id).logGroup,
      group(`/aws/vendedlogs/states/${name}`),
    ]),
  ]) as Resources;
}
