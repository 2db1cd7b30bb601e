import { z } from 'zod';

/** Shares and counts a tenant's data has to keep; absent ones are those of `defaultRules`. */
export const rulesSchema = z.strictObject({
  /** Fewer usable documents are critical. */
  minDocuments: z.int().min(1).optional(),
  /** Most hours since the newest document arrived; without this rule data of any age is fresh. */
  maxAgeHours: z.number().positive().max(8_784).optional(),
  /** Share of documents that may be unreadable, 0 to 1; more are critical. */
  maxUnreadable: z.number().min(0).max(1).optional(),
  /** Share of documents that may be empty, 0 to 1. */
  maxEmpty: z.number().min(0).max(1).optional(),
  /** Share of documents that may repeat another, 0 to 1. */
  maxDuplicates: z.number().min(0).max(1).optional(),
});

/** A tenant's own rules. */
export type TenantRules = z.infer<typeof rulesSchema>;

/** Rules of one tenant with nothing left open but the age. */
export interface Rules {
  readonly minDocuments: number;
  readonly maxAgeHours: number | undefined;
  readonly maxUnreadable: number;
  readonly maxEmpty: number;
  readonly maxDuplicates: number;
}

/** Rules for a tenant that says nothing: fewer than 10 documents cannot be trained on (workload/data-pipeline). */
export const defaultRules: Rules = {
  minDocuments: 10,
  maxAgeHours: undefined,
  maxUnreadable: 0.2,
  maxEmpty: 0.5,
  maxDuplicates: 0.8,
};

/** The rules that hold for a tenant. */
export function rulesOf(own: TenantRules | undefined): Rules {
  return {
    minDocuments: own?.minDocuments ?? defaultRules.minDocuments,
    maxAgeHours: own?.maxAgeHours ?? defaultRules.maxAgeHours,
    maxUnreadable: own?.maxUnreadable ?? defaultRules.maxUnreadable,
    maxEmpty: own?.maxEmpty ?? defaultRules.maxEmpty,
    maxDuplicates: own?.maxDuplicates ?? defaultRules.maxDuplicates,
  };
}
