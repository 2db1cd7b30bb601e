import type { Resolve } from '../asl/definition/resolve-intrinsics.ts';

/** A declared function. */
export interface ServiceFunction {
  readonly key: string;
  /** Path of the handler's TypeScript file. */
  readonly file: string;
  readonly exportName: string;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  /** The provider's variables under the function's own; what only an account knows stays a name (`local:<logical id>`). */
  readonly environment: Readonly<Record<string, string>>;
}

/** A declared state machine. */
export interface ServiceMachine {
  readonly key: string;
  /** Name on AWS; the key when none is declared. */
  readonly name: string;
  /** File of the definition, relative to serverless.yml; absent when it is in serverless.yml itself. */
  readonly definitionFile?: string;
  readonly definition: unknown;
}

/** What a schedule or rule sends to. */
export type TargetRef =
  | { readonly kind: 'function'; readonly key: string }
  | { readonly kind: 'machine'; readonly key: string };

/** How long a delivery is tried; both limits as on AWS. */
export interface RetryPolicy {
  /** 60 to 86,400. */
  readonly maximumEventAgeSeconds: number;
  /** Tries after the first one, 0 to 185. */
  readonly maximumRetryAttempts: number;
}

/** A declared `AWS::Scheduler::Schedule`. */
export interface ServiceSchedule extends RetryPolicy {
  /** Name without the prefix of service and environment. */
  readonly name: string;
  readonly expression: string;
  readonly timezone: string;
  readonly enabled: boolean;
  /** JSON text, may hold `<aws.scheduler...>` placeholders. */
  readonly input: string;
  readonly target: TargetRef;
  readonly startDate?: Date;
  readonly endDate?: Date;
}

/** What a target gets instead of the whole event; at most one of the fields. */
export interface TargetInput {
  /** Constant JSON text. */
  readonly input?: string;
  /** Path of the part that is passed on, as `$.detail.data`. */
  readonly inputPath?: string;
  readonly transformer?: {
    readonly paths: Readonly<Record<string, string>>;
    /** JSON or a JSON string with `<name>` for each path. */
    readonly template: string;
  };
}

/** A target of a rule. */
export type RuleTarget = TargetRef & RetryPolicy & TargetInput;

/** A declared `AWS::Events::Rule`. */
export interface ServiceRule {
  readonly name: string;
  readonly pattern: unknown;
  readonly enabled: boolean;
  readonly targets: readonly RuleTarget[];
}

/** Everything serverless.yml declares that runs here. */
export interface Service {
  readonly functions: ReadonlyMap<string, ServiceFunction>;
  readonly machines: readonly ServiceMachine[];
  readonly schedules: readonly ServiceSchedule[];
  readonly rules: readonly ServiceRule[];
  /** Intrinsics to local ARNs. */
  readonly resolve: Resolve;
}
