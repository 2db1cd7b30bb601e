import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { account } from '../../fixtures/aws-base.ts';
import type { AwsRequest } from '../../rights/requests.ts';
import type { Policy } from '../../rights/role-policies.ts';

/** The evaluator of IAM policies, somebody else's; AGPL, hence fetched when it is used and never a dependency. */
const name = '@cloud-copilot/iam-simulate';
const version = '0.1.173';

/** What is decided about: a principal's request, and every policy that has a say. */
export interface Question {
  readonly principal: string;
  readonly request: AwsRequest;
  readonly policies: readonly Policy[];
  /** Of the resource: a key's, a bucket's, or a role's trust. */
  readonly resourcePolicy?: unknown;
  /** Of the session: the request must be allowed by it, too. */
  readonly sessionPolicy?: Policy;
}

type Outcome = 'Allowed' | 'ExplicitlyDenied' | 'ImplicitlyDenied';

interface Simulation {
  readonly request: {
    readonly principal: string;
    readonly action: string;
    readonly resource: { readonly resource: string; readonly accountId: string };
    readonly contextVariables: AwsRequest['context'];
  };
  readonly identityPolicies: readonly Policy[];
  readonly serviceControlPolicies: readonly unknown[];
  readonly resourceControlPolicies: readonly unknown[];
  readonly resourcePolicy?: unknown;
}

type Answer =
  | { readonly resultType: 'error'; readonly errors: { readonly message: string } }
  | {
      readonly resultType: 'single' | 'wildcard';
      readonly overallResult: Outcome;
      readonly result?: { readonly ignoredContextKeys?: readonly string[] };
    };

interface Module {
  runSimulation(simulation: Simulation, options: object): Promise<Answer>;
}

/**
 * The evaluator drops every `kms:EncryptionContext:<key>` of a request (0.1.173 keeps variable keys only where a slash
 * begins the variable). Both sides therefore carry it as a principal's tag of the same name, which it compares in the same way.
 */
function carried<T>(value: T): T {
  const text = JSON.stringify(value).replaceAll(
    '"kms:EncryptionContext:',
    '"aws:PrincipalTag/kms:EncryptionContext:',
  );
  return JSON.parse(text) as T;
}

/** Installs the evaluator into the cache of this project. Throws what npm says when it cannot. */
export function installEvaluator(): string {
  const folder = resolve('node_modules/.cache/rights', `iam-simulate-${version}`);
  const there = join(folder, 'node_modules', name);
  if (!existsSync(join(there, 'package.json'))) {
    mkdirSync(folder, { recursive: true });
    const flags = [
      '--prefix',
      folder,
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--silent',
    ];
    execFileSync('npm', ['install', ...flags, `${name}@${version}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  }
  const found = JSON.parse(readFileSync(join(there, 'package.json'), 'utf8')) as { version: string };
  if (found.version !== version) throw new Error(`${there} is ${found.version}, not ${version}`);
  return there;
}

/** Decides as IAM does: by identity, resource and session policies; nobody's organisation restricts anything. */
export class Evaluator {
  readonly label = `${name} ${version}`;
  readonly #module: Module;
  /** Questions answered. */
  asked = 0;

  private constructor(module: Module) {
    this.#module = module;
  }

  static async open(folder: string): Promise<Evaluator> {
    const file = pathToFileURL(join(folder, 'dist/esm/index.js')).href;
    return new Evaluator((await import(file)) as Module);
  }

  async #allowed(question: Question, policies: readonly Policy[]): Promise<boolean> {
    const { principal, resourcePolicy } = question;
    const request = carried(question.request);
    const answer = await this.#module.runSimulation(
      {
        request: {
          principal,
          action: request.action,
          resource: { resource: request.resource, accountId: account },
          contextVariables: { 'aws:SecureTransport': 'true', ...request.context },
        },
        identityPolicies: carried(policies),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        ...(resourcePolicy === undefined ? {} : { resourcePolicy: carried(resourcePolicy) }),
      },
      {},
    );
    this.asked += 1;
    if (answer.resultType === 'error')
      throw new Error(`${request.action} on ${request.resource}: ${JSON.stringify(answer.errors)}`);
    // A key that the action does not know would be left out in silence, and with it what depends on it.
    const ignored = (answer.result?.ignoredContextKeys ?? []).filter((key) => key !== 'aws:SecureTransport');
    if (ignored.length > 0)
      throw new Error(`${request.action} on ${request.resource} knows no ${ignored.join(', ')}`);
    return answer.overallResult === 'Allowed';
  }

  /** Whether the request is allowed; a question that makes no sense (unknown action, wrong kind of resource) is an error. */
  async allows(question: Question): Promise<boolean> {
    const { policies, sessionPolicy } = question;
    if (!(await this.#allowed(question, policies))) return false;
    // The evaluator does not intersect session policies itself.
    return sessionPolicy === undefined || this.#allowed(question, [sessionPolicy]);
  }
}
