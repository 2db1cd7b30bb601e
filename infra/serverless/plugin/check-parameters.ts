import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';

/** The template's parameters, as far as they are read here. */
export type TemplateParameters = Readonly<
  Record<string, { readonly Type?: unknown; readonly Default?: unknown }>
>;

/** Names of the SSM parameters that a template reads when it is deployed. */
export function parametersOf(parameters: TemplateParameters): string[] {
  return Object.values(parameters).flatMap(({ Type: type, Default: name }) =>
    typeof type === 'string' && type.startsWith('AWS::SSM::Parameter::Value') && typeof name === 'string'
      ? [name]
      : [],
  );
}

/** Reads the values of the names that exist; names that do not are left out. */
export type ReadParameters = (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;

function checkPlace(name: string, value: string, place: { region: string; accountId: string }): void {
  const [, , , region = '', account = ''] = value.startsWith('arn:') ? value.split(':') : [];
  const wrong =
    region !== '' && region !== place.region
      ? [`region ${region}`, place.region]
      : account !== '' && account !== place.accountId
        ? [`account ${account}`, place.accountId]
        : undefined;
  if (!wrong) return;
  throw new EpsilonError(
    'ARN_MISMATCH',
    `SSM parameter ${name} names something in ${wrong[0]}, but this deploys to ${wrong[1]}.`,
    { exitCode: exitCodes.badInput, details: { name, value } },
  );
}

/**
 * Refuses a deploy whose parameters infrastructure has not written, or which belong to another place, before anything is
 * uploaded. Returns the values. Errors: `PARAMETER_MISSING` naming all that are missing, `ARN_MISMATCH`.
 */
export async function checkParameters(
  names: readonly string[],
  read: ReadParameters,
  place: { readonly region: string; readonly accountId: string },
): Promise<ReadonlyMap<string, string>> {
  const values = await read(names);
  const missing = names.filter((name) => !values.has(name));
  if (missing.length > 0) {
    throw new EpsilonError(
      'PARAMETER_MISSING',
      `SSM parameters are missing in ${place.region} of account ${place.accountId}: ${missing.join(', ')}. Infrastructure writes them (docs/provision.md).`,
      { exitCode: exitCodes.badInput, details: { missing } },
    );
  }
  for (const [name, value] of values) checkPlace(name, value, place);
  return values;
}
