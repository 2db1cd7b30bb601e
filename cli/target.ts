import { didYouMean } from '../lib/config/did-you-mean.ts';
import { environments } from '../lib/config/environments.ts';
import { EpsilonError } from '../lib/errors/epsilon-error.ts';
import { shellWord } from './launch/command-name.ts';

/** The control plane of this host, in a state directory. */
export interface LocalTarget {
  readonly kind: 'local';
  readonly stateDir: string;
  /** The state directory was named by an option, which the next command needs as well. */
  readonly named?: true;
}

/** A deployed control plane. */
export interface AwsTarget {
  readonly kind: 'aws';
  readonly environment: Environment;
  /** The environment's own region when absent. */
  readonly region?: string;
  readonly profile?: string;
  /** Account that the credentials must be of. */
  readonly account?: string;
}

/** Which control plane a verb speaks to. */
export type Target = LocalTarget | AwsTarget;

const deployed = environments.filter((environment) => environment !== 'local');

/** An environment that is deployed to AWS. */
export type Environment = (typeof deployed)[number];

/** The command's global options, as typed. */
export interface TargetOptions {
  readonly target?: string;
  readonly stateDir?: string;
  readonly environment?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly account?: string;
}

const onlyAws = ['environment', 'region', 'profile', 'account'] as const;

type Variables = Readonly<Record<string, string | undefined>>;

function environmentOf(given: string): Environment {
  const found = deployed.find((environment) => environment === given);
  if (found) return found;
  const hint = didYouMean(given, deployed);
  throw new EpsilonError(
    'ENVIRONMENT_UNKNOWN',
    `There is no environment "${given}" on AWS (${deployed.join(', ')}).${hint ? ` Did you mean ${hint}?` : ''}`,
  );
}

function awsTarget(options: TargetOptions, variables: Variables): AwsTarget {
  if (options.stateDir !== undefined)
    throw new EpsilonError(
      'USAGE',
      '--state-dir is for --target local only; on AWS no state is stored on this host.',
    );
  const fromVariable = variables['EPSILON_ENVIRONMENT'];
  const named = options.environment ?? (fromVariable === 'local' ? undefined : fromVariable) ?? 'dev';
  const account = options.account ?? variables['EPSILON_AWS_ACCOUNT_ID'];
  if (account !== undefined && !/^\d{12}$/.test(account))
    throw new EpsilonError('USAGE', `--account ${account} is not an account id of 12 digits.`);
  return {
    kind: 'aws',
    environment: environmentOf(named),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(account === undefined ? {} : { account }),
  };
}

/**
 * The control plane that options and variables name: option > variable (`EPSILON_TARGET`, `EPSILON_ENVIRONMENT`,
 * `EPSILON_AWS_ACCOUNT_ID`, `EPSILON_STATE_DIR`) > local, dev. Errors: `USAGE`, `ENVIRONMENT_UNKNOWN`, `INSIDE_JOB`.
 */
export function parseTarget(options: TargetOptions, variables: Variables): Target {
  if (variables['EPSILON_RUN_ID'] !== undefined && variables['EPSILON_FENCE'] !== undefined)
    throw new EpsilonError(
      'INSIDE_JOB',
      'This is the environment of a job; a job does not operate the control plane that runs it.',
    );
  const kind = options.target ?? variables['EPSILON_TARGET'] ?? 'local';
  if (kind === 'aws') return awsTarget(options, variables);
  if (kind !== 'local') throw new EpsilonError('USAGE', `--target ${kind} is neither local nor aws.`);
  const misplaced = onlyAws.find((name) => options[name] !== undefined);
  if (misplaced) throw new EpsilonError('USAGE', `--${misplaced} is for --target aws only.`);
  return {
    kind: 'local',
    stateDir: options.stateDir ?? variables['EPSILON_STATE_DIR'] ?? '.epsilon',
    ...(options.stateDir === undefined ? {} : { named: true }),
  };
}

/** A command for people to type next, by the name this one was called by, with what it takes to reach the same control plane again. */
export function commandFor(name: string, target: Target, words: string): string {
  if (target.kind === 'local')
    return target.named ? `${name} --state-dir ${shellWord(target.stateDir)} ${words}` : `${name} ${words}`;
  const { environment, region, profile } = target;
  const place = [
    `--environment ${environment}`,
    ...(region === undefined ? [] : [`--region ${region}`]),
    ...(profile === undefined ? [] : [`--profile ${profile}`]),
  ];
  return `${name} --target aws ${place.join(' ')} ${words}`;
}

/** Throws `TARGET_UNSUPPORTED` when a verb, or a way of using it, exists on this host only. */
export function requireLocal(target: Target, what: string, instead: string): LocalTarget {
  if (target.kind === 'local') return target;
  throw new EpsilonError('TARGET_UNSUPPORTED', `${what} is for --target local only; ${instead}`);
}
