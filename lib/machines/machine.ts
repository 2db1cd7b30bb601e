import type { z } from 'zod';

/** What starts executions of a machine besides an operator, by the name it has in its declaration. */
export type Starter =
  | { readonly schedule: string }
  | { readonly rule: string }
  | { readonly machine: string };

/** Whether an operator names a tenant (`--tenant`): it goes into the input as `tenantId`. */
export type TenantUse =
  | { readonly tenant: 'required'; readonly does: string }
  /** `instead` is the machine that does the work for one tenant. */
  | { readonly tenant: 'refused'; readonly does: string; readonly instead: string }
  | { readonly tenant: 'unused' };

/**
 * Which records show how an execution ended: the runs of its night, the run that has the execution's name, or none besides
 * the execution itself.
 */
export type Outcome = 'night' | 'run' | 'execution';

/** A state machine as operators meet it. */
export interface Machine {
  /** Key in infra/serverless/state-machines.yml, which is the name of the file in statemachines/, too. */
  readonly key: string;
  /** Says in the help what the machine does: begins with a verb, ends without a full stop. */
  readonly summary: string;
  /** Fields of its input; an operator's input may hold no other. */
  readonly input: z.ZodObject;
  /**
   * Throws an `EpsilonError` for an operator's input that has the right form and would still be refused; `now` in
   * milliseconds.
   */
  readonly check: (input: Readonly<Record<string, unknown>>, now: number) => void;
  readonly startedBy: readonly Starter[];
  readonly tenants: TenantUse;
  /** The command that makes its input, where `epsilon run` alone cannot. */
  readonly startedWith?: string;
  /** What an operator's start adds to the input unless the operator says otherwise. */
  readonly manual: Readonly<Record<string, unknown>>;
  readonly outcome: Outcome;
}
