/** What a pod asks STS for, and whether it may have it: judged by the tests of the Pulumi program and by the policy evaluator. */
export interface PodCase {
  readonly who: string;
  /** Tag that EKS sets; undefined: no pod. */
  readonly podName: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly allowed: boolean;
}

const pod = 'acme.2026-11-24.train.1-x7k2p';
const whole = 'acme.x.0123456789abcdef0123-x7k2p';
const dash = 'x.acme-x.0123456789abcdef0123-x7k2p';
const attempt = { TenantId: 'acme', Run: '2026-11-24', Stage: 'train', Attempt: '1' };

const refused = (who: string, podName: string | undefined, tags: PodCase['tags']): PodCase => ({
  who,
  podName,
  tags,
  allowed: false,
});

/** Requests of pods, honest and hostile. */
export const podCases: readonly PodCase[] = [
  { who: 'a pod for its own attempt', podName: pod, tags: attempt, allowed: true },
  {
    who: 'a pod whose name says the tenant alone',
    podName: whole,
    tags: { TenantId: 'acme' },
    allowed: true,
  },
  {
    who: 'a pod of a tenant whose id ends in "-"',
    podName: dash,
    tags: { TenantId: 'acme-' },
    allowed: true,
  },
  refused('a pod for another tenant', pod, { ...attempt, TenantId: 'beta' }),
  refused('a pod for a tenant whose id begins with its own', pod, { ...attempt, TenantId: 'acme-2' }),
  refused('a pod for a tenant whose id its own begins with', 'acme-2.2026-11-24.train.1-x7k2p', attempt),
  refused('a pod for a part of its tenant', pod, { ...attempt, TenantId: 'acm' }),
  refused('a pod for every tenant', pod, { ...attempt, TenantId: '*' }),
  refused('a pod for a tenant of one character', pod, { ...attempt, TenantId: '?cme' }),
  refused('a pod for no tenant', pod, {}),
  refused('a pod for a tenant without a name', pod, { ...attempt, TenantId: '' }),
  refused('a pod for the tenant alone, when its name says the attempt', pod, { TenantId: 'acme' }),
  refused('a pod for another run', pod, { ...attempt, Run: '2026-11-23' }),
  refused('a pod for every run', pod, { ...attempt, Run: '*' }),
  refused('a pod for another stage', pod, { ...attempt, Stage: 'deploy' }),
  refused('a pod for another attempt', pod, { ...attempt, Attempt: '2' }),
  refused('a pod for a longer attempt', pod, { ...attempt, Attempt: '11' }),
  refused('a pod for an attempt without its number', pod, { ...attempt, Attempt: '' }),
  refused('a pod that leaves out the stage', pod, { TenantId: 'acme', Run: '2026-11-24', Attempt: '1' }),
  refused('a pod that adds a tag', pod, { ...attempt, Role: 'admin' }),
  refused('a pod that says its own name', undefined, { ...attempt, 'kubernetes-pod-name': pod }),
  refused('a pod without the tag of its name', undefined, attempt),
  refused('a pod that hides a dot in the tenant', pod, {
    ...attempt,
    TenantId: 'acme.2026-11-24',
    Run: 'train',
    Stage: '1',
  }),
  refused('a pod for the tenant alone of another', whole, { TenantId: 'acm' }),
  refused('a pod for an attempt, when its name says the tenant alone', whole, attempt),
  refused('a pod of "acme-" for "acme"', dash, { TenantId: 'acme' }),
  refused('a pod of "acme-" for "acme-x"', dash, { TenantId: 'acme-x' }),
  refused('a pod of "acme-x" for "acme-"', 'acme-x.x.0123456789abcdef0123-x7k2p', { TenantId: 'acme-' }),
  refused('a pod with a name of before', 'acme-2026-11-24-train-1-x7k2p', { TenantId: 'acme' }),
];

/** Condition keys of a case, beside those of the cluster, the namespace and the service account. */
export function contextOf({ podName, tags }: PodCase): Record<string, string | string[]> {
  return {
    ...(podName === undefined ? {} : { 'aws:PrincipalTag/kubernetes-pod-name': podName }),
    ...Object.fromEntries(Object.entries(tags).map(([tag, value]) => [`aws:RequestTag/${tag}`, value])),
    ...(Object.keys(tags).length === 0 ? {} : { 'aws:TagKeys': Object.keys(tags) }),
  };
}

/** Keys below the bucket that the session of `acme`, run 2026-11-24, train, attempt 1 asks for. */
export const attemptCases: readonly (readonly [key: string, read: boolean, write: boolean])[] = [
  ['acme/runs/acme-2026-11-24/train/1/model.bin', true, true],
  ['acme/runs/acme-2026-11-24/train/2/checkpoint', true, false],
  ['acme/runs/acme-2026-11-24/train/11/x', true, false],
  ['acme/runs/acme-2026-11-24/train/1', true, false],
  ['acme/runs/acme-2026-11-24/prepare/1/manifest.json', true, false],
  ['acme/runs/acme-2026-11-23/train/1/model.bin', false, false],
  ['acme/runs/acme-2026-11-24-m1/train/1/model.bin', false, false],
  ['acme/documents/a.txt', false, false],
  ['acme/model.bin', false, false],
  ['acme-2/runs/acme-2026-11-24/train/1/model.bin', false, false],
  ['acme-2/runs/acme-2-2026-11-24/train/1/model.bin', false, false],
  ['beta/documents/a.txt', false, false],
  ['nights/2026-11-24.json', false, false],
  ['acme', false, false],
];

/** Tags of that session. */
export const attemptSession = Object.fromEntries(
  Object.entries(attempt).map(([tag, value]) => [`aws:PrincipalTag/${tag}`, value]),
);

/** The same of the stage that reads documents, which are below `acme/` and nowhere else. */
export const prepareCases: typeof attemptCases = [
  ['acme/documents/a.txt', true, false],
  ['acme/runs/acme-2026-11-24/prepare/1/manifest.json', true, true],
  ['acme/runs/acme-2026-11-24/train/1/model.bin', true, false],
  ['acme-2/documents/a.txt', false, false],
  ['beta/documents/a.txt', false, false],
];

/** Tags of its session. */
export const prepareSession = { ...attemptSession, 'aws:PrincipalTag/Stage': 'prepare' };
