import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { parse } from 'yaml';
import { type Clients, createClients } from '../../../lib/aws/clients.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
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
  getProvider(name: 'aws'): { getStage(): string; getRegion(): string };
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
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    this.hooks = {
      'before:package:initialize': () => this.#told(() => this.#checkSettings()),
      'before:package:finalize': () =>
        keepVersions(this.#serverless.service.provider.compiledCloudFormationTemplate.Resources),
      'before:deploy:deploy': () => this.#told(() => this.#checkParameters()),
    };
  }

  #checkSettings(): void {
    const stage = this.#serverless.getProvider('aws').getStage();
    const file = join(this.#serverless.serviceDir, 'infra', 'config', `${stage}.yml`);
    checkSettings(stage, parse(readFileSync(file, 'utf8')));
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
    } finally {
      clients.close();
    }
  }

  /** Serverless prints its own errors as a sentence and ours as a crash. */
  async #told(check: () => Promise<void> | void): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof EpsilonError)) throw error;
      throw new this.#serverless.classes.Error(error.message, error.code);
    }
  }
}
