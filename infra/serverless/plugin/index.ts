import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { parse } from 'yaml';
import { type Clients, createClients } from '../../../lib/aws/wiring/clients.ts';
import { furtherRepositories } from '../../../lib/config/image-release.ts';
import type { ServiceConfig } from '../../../lib/config/service-config.ts';
import { ssmParameterName } from '../../../lib/config/ssm-parameters.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { writeLazyBundle } from '../lazy-bundle.ts';
import { checkParameters, parametersOf, type TemplateParameters } from './check-parameters.ts';
import { checkSettings } from './check-settings.ts';
import {
  type ClusterSettings,
  type DeclaredFunction,
  type DeclaredMachine,
  invalid,
  type Resources,
  type Statements,
  type Tree,
} from './declared.ts';
import { derive } from './derive.ts';
import { withFurtherRepositories } from './further-repositories.ts';
import { keepVersions, type TemplateResources } from './keep-versions.ts';
import { type Place, servicePlaced, unreadParameters } from './place.ts';

/** The part of Serverless that the plugin touches. */
interface Serverless {
  readonly serviceDir: string;
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
  readonly configurationInput: {
    readonly stepFunctions: { stateMachines: Readonly<Record<string, DeclaredMachine>> };
  };
  readonly configSchemaHandler: { defineFunctionProperties(provider: 'aws', schema: object): void };
  readonly service: {
    readonly service: string;
    readonly custom: {
      readonly config: ServiceConfig;
      /** One table per file of infra/serverless/roles. */
      readonly roles: readonly Readonly<Record<string, Statements>>[];
      readonly cluster?: ClusterSettings | null;
      readonly airflow?: Readonly<Record<string, Statements>>;
      readonly tracing?: Readonly<Record<string, Statements>>;
      readonly place: Place;
    };
    functions: Record<string, DeclaredFunction>;
    readonly resources: { Resources: Resources; readonly Parameters?: Record<string, unknown> };
    readonly provider: {
      iam?: { deploymentRole?: string };
      environment: Tree;
      readonly kmsKeyArn?: unknown;
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

/** Roles' statements of all areas; two files that speak of the same function are an error (`SERVICE_INVALID`). */
function merged(
  files: readonly Readonly<Record<string, Statements>>[],
): Readonly<Record<string, Statements>> {
  const all: Record<string, Statements> = {};
  for (const [key, statements] of files.flatMap((file) => Object.entries(file))) {
    if (all[key] !== undefined)
      throw invalid(`Two files in infra/serverless/roles have statements for "${key}".`);
    all[key] = statements;
  }
  return all;
}

/**
 * Adds what follows from the declaration (derive.ts). Stops `package` when a setting is missing or wrong, or when nothing
 * can be derived, and `deploy` when infrastructure is missing, each with one sentence. Keeps what runs in flight need.
 */
export default class EpsilonPlugin {
  readonly hooks: Readonly<Record<string, () => Promise<void> | void>>;
  /** `${settings:<environment>}`: the environment's settings, checked before anything else looks at them; `/workloads` behind it gives that
   * table as JSON, as a variable has it. */
  readonly configurationVariablesSources: {
    readonly settings: {
      resolve(asked: { readonly address: string }): { readonly value: ServiceConfig | string };
    };
  };
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    this.configurationVariablesSources = {
      settings: {
        resolve: ({ address }) => {
          const [environment = '', table] = address.split('/');
          const settings = this.#settings(environment);
          return {
            value: table === undefined ? settings : JSON.stringify(settings[table as 'workloads']),
          };
        },
      },
    };
    serverless.configSchemaHandler.defineFunctionProperties('aws', {
      properties: {
        cluster: { enum: ['job-submitters', 'job-keepers', 'job-reconcilers', 'capacity-setters'] },
        network: { type: 'boolean' },
        shards: { type: 'integer', minimum: 1 },
      },
    });
    this.hooks = {
      // Before anything is compiled: what is derived goes the way of what is written.
      initialize: () => this.#derive(),
      'before:package:createDeploymentArtifacts': async () => {
        await writeLazyBundle(this.#serverless.serviceDir);
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
      throw this.#explained(error);
    }
  }

  #derive(): void {
    const { service, configurationInput } = this.#serverless;
    const { config, roles, cluster, airflow, tracing, place } = service.custom;
    try {
      const { machines, functions, statements, resources, environment } = servicePlaced(
        {
          functions: service.functions,
          machines: configurationInput.stepFunctions.stateMachines,
          statements: withFurtherRepositories(merged(roles), furtherRepositories(config.workloads)),
          resources: service.resources.Resources,
          environment: service.provider.environment,
        },
        place,
      );
      service.functions = { ...functions };
      configurationInput.stepFunctions.stateMachines = machines;
      service.resources.Resources = resources;
      service.provider.environment = environment;
      const derived = derive({
        prefix: `${service.service}-${config.environment}`,
        environment: config.environment,
        successTarget: config.training.successTarget,
        functions: service.functions,
        machines,
        statements,
        ...(place.home !== undefined && { home: place.home }),
        ...(place.stands && !place.serving && { idle: true }),
        ...(cluster && { cluster }),
        ...(airflow && { airflow }),
        ...(tracing && { tracing }),
        resources: service.resources.Resources,
      });
      for (const [key, added] of Object.entries(derived.functions))
        Object.assign(service.functions[key] ?? {}, added);
      for (const [key, added] of Object.entries(derived.machines)) Object.assign(machines[key] ?? {}, added);
      Object.assign(service.resources.Resources, derived.resources);
      const { Parameters: parameters = {} } = service.resources;
      const { provider } = service;
      for (const name of unreadParameters(
        parameters,
        service.functions,
        machines,
        service.resources.Resources,
        [provider.environment, provider.kmsKeyArn],
      ))
        delete parameters[name];
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async #checkParameters(): Promise<void> {
    const region = this.#serverless.getProvider('aws').getRegion();
    const { service } = this.#serverless;
    const { Parameters: parameters = {} } = service.provider.compiledCloudFormationTemplate;
    const clients = createClients({ region });
    try {
      const { Account: accountId = '' } = await clients.of(STSClient).send(new GetCallerIdentityCommand({}));
      const { config, place } = service.custom;
      const deployRole = ssmParameterName(config.environment, 'deploy/role-arn');
      const values = await checkParameters(
        [...parametersOf(parameters), ...(place.home === undefined ? [deployRole] : [])],
        (names) => readParameters(clients, names),
        { region, accountId },
      );
      // At home CloudFormation works with a role of its own, whoever deploys; that role does not reach the other region.
      const deploymentRole = values.get(deployRole);
      if (deploymentRole !== undefined) service.provider.iam = { ...service.provider.iam, deploymentRole };
    } catch (error) {
      throw this.#explained(error);
    } finally {
      clients.close();
    }
  }

  /** Turns an error into one of Serverless's own, which it prints as a sentence; others it prints as a crash. */
  #explained(error: unknown): unknown {
    if (!(error instanceof EpsilonError)) return error;
    return new this.#serverless.classes.Error(error.message, error.code);
  }
}
