import { Parameter } from '@pulumi/aws/ssm/parameter.js';
import type { Input } from '@pulumi/pulumi';
import { ssmParameterName, ssmParameters, standbyParameters } from '../../lib/config/ssm-parameters.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { Site } from './site.ts';

/** Writes every parameter of the list. Errors: `PARAMETER_MISSING` when list and values differ, before any is written. */
export function writeParameters(site: Site, values: Readonly<Record<string, Input<string>>>): void {
  const listed = new Set(ssmParameters.map(({ name }) => name));
  const differing = [
    ...[...listed].filter((name) => values[name] === undefined),
    ...Object.keys(values).filter((name) => !listed.has(name)),
  ];
  if (differing.length > 0) {
    throw new EpsilonError('PARAMETER_MISSING', `List and values differ in: ${differing.join(', ')}.`);
  }
  for (const { name, meaning } of ssmParameters) {
    const value = values[name] ?? '';
    const full = ssmParameterName(site.config.environment, name);
    new Parameter(full, { name: full, type: 'String', value, description: meaning }, site.here);
  }
}

/** Writes what stands in the disaster recovery region reads there, under the same names as at home. */
export function writeStandbyParameters(
  site: Site,
  values: Readonly<Record<(typeof standbyParameters)[number], Input<string>>>,
): void {
  for (const name of standbyParameters) {
    const full = ssmParameterName(site.config.environment, name);
    new Parameter(`${full}-there`, { name: full, type: 'String', value: values[name] }, site.there);
  }
}
