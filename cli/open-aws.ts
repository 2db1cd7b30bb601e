import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openAwsOperator } from '../lib/aws/operator/open-aws-operator.ts';
import { loadConfig } from '../lib/config/load-config.ts';
import type { ServiceConfig } from '../lib/config/service-config.ts';
import { EpsilonError } from '../lib/errors/epsilon-error.ts';
import { createOperatorApi } from '../lib/operations/operator/operator-api.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { IdSource } from '../lib/ports/id-source.ts';
import type { OperatorApi } from '../lib/ports/operator-api.ts';
import { readYaml } from '../local/declaration/read-yaml.ts';
import { parseSchedule } from '../local/schedule/expression.ts';
import { fillInput } from '../local/schedule/schedule-input.ts';
import type { AwsTarget } from './target.ts';

/** What opening a deployed control plane needs of its surroundings. */
export interface AwsSurroundings {
  readonly projectDir: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly signal: AbortSignal;
  readonly standby: boolean;
}

/** Settings of an environment: option > variable > infra/config/<environment>.yml. */
export function awsConfig(
  { environment, region }: AwsTarget,
  { projectDir, variables }: Pick<AwsSurroundings, 'projectDir' | 'variables'>,
): ServiceConfig {
  const path = join(projectDir, 'infra', 'config', `${environment}.yml`);
  if (!existsSync(path))
    throw new EpsilonError(
      'CONFIG_NOT_FOUND',
      `Environment ${environment} has no settings: ${path} is not there.`,
    );
  return loadConfig({
    file: readYaml(path),
    variables,
    flags: { environment, ...(region === undefined ? {} : { region }) },
  });
}

/** Opens the control plane of a deployed environment. */
export async function openAws(target: AwsTarget, surroundings: AwsSurroundings): Promise<OperatorApi> {
  const { clock, ids, signal, standby } = surroundings;
  const { ports, actor } = await openAwsOperator({
    config: awsConfig(target, surroundings),
    profile: target.profile,
    account: target.account,
    clock,
    ids,
    signal,
    standby,
    rules: { parse: parseSchedule, fillInput },
  });
  return createOperatorApi(ports, actor);
}

/** Looks up prices with the credentials of the SDK's own chain. */
export { lookUpPrices as lookUp } from '../lib/aws/billing/look-up-prices.ts';
