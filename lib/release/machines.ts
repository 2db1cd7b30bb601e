import type { Machine } from '../machines/machine.ts';
import { releaseInputSchema } from './release-input.ts';

/** Takes digests to staging and production, watches them, and keeps them or takes them back. */
const release: Machine = {
  key: 'release',
  summary: 'releases images and control plane, and takes back what is bad',
  input: releaseInputSchema,
  check: () => {},
  startedWith: 'release start',
  startedBy: [],
  tenants: { tenant: 'unused' },
  manual: {},
  outcome: 'execution',
};

/** State machines of releases. */
export const releaseMachines: readonly Machine[] = [release];
