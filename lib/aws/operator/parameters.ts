import { GetParametersCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { ssmParameterName } from '../../config/ssm-parameters.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { explained } from '../errors/service-errors.ts';

/** Names one call may have. */
const mostNames = 10;

/** Values that infrastructure left for us, by `<area>/<name>`; those that are not there are left out. */
export async function findParameters(
  client: SSMClient,
  environment: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const full = new Map(names.map((name) => [ssmParameterName(environment, name), name]));
  const found = new Map<string, string>();
  const all = [...full.keys()];
  for (let first = 0; first < all.length; first += mostNames) {
    const Names = all.slice(first, first + mostNames);
    const { Parameters = [] } = await explained('ssm:GetParameters', `/epsilon/${environment}/*`, () =>
      client.send(new GetParametersCommand({ Names })),
    );
    for (const { Name = '', Value = '' } of Parameters) {
      const name = full.get(Name);
      if (name !== undefined && Value !== '') found.set(name, Value);
    }
  }
  return found;
}

/** The same, all of them there; `SSM_PARAMETER_MISSING` names those that are not and how they come to be. */
export async function readParameters<N extends string>(
  client: SSMClient,
  { environment, region }: { readonly environment: string; readonly region: string },
  names: readonly N[],
): Promise<Readonly<Record<N, string>>> {
  const found = await findParameters(client, environment, names);
  const missing = names.filter((name) => !found.has(name)).map((name) => ssmParameterName(environment, name));
  if (missing.length === 0) return Object.fromEntries(found) as Record<N, string>;
  const others = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  throw new EpsilonError(
    'SSM_PARAMETER_MISSING',
    `SSM parameter ${missing[0]}${others} does not exist in ${region}: provision environment ${environment} first (docs/provision.md), or name another with --environment or --region.`,
    { exitCode: exitCodes.badInput, details: { missing, region } },
  );
}
