import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { parse } from 'yaml';
import { type Clients, createClients } from '../../../lib/aws/wiring/clients.ts';
import type { ServiceConfig } from '../../../lib/config/service-config.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { writeLoadedLater } from '../loaded-later.ts';
import { checkParameters, parametersOf, type TemplateParameters } from './check-parameters.ts';
import { checkSettings } from './check-settings.ts';
import { keepVersions, type TemplateResources } from './keep-versions.ts';

/** The part of Serverless that the plugin touches. */
interface Serverless {
  readonly serviceDir: string;
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
  readonly service: {
    readonly provider: {
      readonly compiledCloudFormationTemplate: {
        readonly Parameters?: TemplateParameters;
        readonly Resources: TemplateResources;
      };
    };
  };
  getProvider(name: 'aws'): { getRegion(): string };
}

/** Most names one GetParameters may have. */
const mostNames = 10;

async function readParameters(clients: Clients, names: readonly string[]): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (let first = 0; first < names.length; first += mostNames) {
    const { Parameters: found = [] } = await clients
      .of(SSMClient)
      .send(new GetParametersCommand({ Names: names.slice(first, first + mostNames) }));
    for (const { Name: name, Value: value } of found) {
      if (name !== undefined && value !== undefined) values.set(name, value);
    }
  }
  return values;
}

/**
 * Stops `package` when a setting is missing or wrong, and `deploy` when infrastructure is, each with one sentence; and
 * keeps what runs in flight need.
 */
export default class EpsilonPlugin {
  readonly hooks: Readonly<Record<string, () => Promise<void> | void>>;
  /** `${settings:<environment>}`: the environment's settings, checked before anything else looks at them. */
  readonly configurationVariablesSources: {
    readonly settings: { resolve(asked: { readonly address: string }): { readonly value: ServiceConfig } };
  };
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    this.configurationVariablesSources = {
      settings: { resolve: ({ address }) => ({ value: this.#settings(address) }) },
    };
    this.hooks = {
      'before:package:createDeploymentArtifacts': async () => {
        await writeLoadedLater(this.#serverless.serviceDir);
      },
      'before:package:finalize': () =>
        keepVersions(this.#serverless.service.provider.compiledCloudFormationTemplate.Resources),
      'before:deploy:deploy': () => this.#checkParameters(),
    };
  }

  #settings(environment: string): ServiceConfig {
    const file = join(this.#serverless.serviceDir, 'infra', 'config', `${environment}.yml`);
    try {
      return checkSettings(environment, parse(readFileSync(file, 'utf8')));
    } catch (error) {
      throw this.#told(error);
    }
  }

  async #checkParameters(): Promise<void> {
    const region = this.#serverless.getProvider('aws').getRegion();
    const { Parameters: parameters = {} } = this.#serverless.service.provider.compiledCloudFormationTemplate;
    const clients = createClients({ region });
    try {
      const { Account: accountId = '' } = await clients.of(STSClient).send(new GetCallerIdentityCommand({}));
      await checkParameters(parametersOf(parameters), (names) => readParameters(clients, names), {
        region,
        accountId,
      });
    } catch (error) {
      throw this.#told(error);
    } finally {
      clients.close();
    }
  }

  /** Serverless prints its own errors as a sentence and ours as a crash. */
  #told(error: unknown): unknown {
    if (!(error instanceof EpsilonError)) return error;
    return new this.#serverless.classes.Error(error.message, error.code);
  }
}
