import { PolicyPack } from '@pulumi/policy';
import { missingCompanions } from './companions.ts';
import { rules } from './rules.ts';

/** The pack: `pulumi preview --policy-pack policy`. Every rule stops the run. */
export const pack = new PolicyPack('epsilon-platform', {
  enforcementLevel: 'mandatory',
  policies: [
    ...rules.map((rule) => ({
      name: rule.name,
      description: rule.description,
      validateResource: (
        args: { type: string; name: string; props: Record<string, unknown> },
        report: (message: string) => void,
      ) => {
        if (rule.types.includes(args.type)) for (const fault of rule.check(args)) report(fault);
      },
    })),
    {
      name: 'buckets-are-guarded',
      description:
        'every bucket has its public access block, versioning, encryption, lifecycle, policy, ownership and access log',
      validateStack: (
        args: { resources: { type: string; name: string; props: Record<string, unknown> }[] },
        report: (message: string) => void,
      ) => {
        for (const fault of missingCompanions(args.resources)) report(fault);
      },
    },
  ],
});
