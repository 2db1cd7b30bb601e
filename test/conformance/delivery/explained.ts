/** Series that an Epsilon night beside `epsilon start` does not have, and why: a pattern and the reason. */
export const noDataHere: readonly (readonly [RegExp, string])[] = [
  [/^epsilon_watcher_/, 'the job watcher runs in a cluster; test:conformance:kubernetes runs it'],
];

/** Findings of kube-score that stand, and why: a pattern over its line and the reason. */
export const explainedScores: readonly (readonly [RegExp, string])[] = [
  [/ImagePullPolicy is not set to Always/, 'images are named by digest: what was pulled once is the same'],
  [
    /CPU limit is not set/,
    'a limit throttles while the node has time to spare; requests and the HPA share it',
  ],
  [/NetworkPolicys selector doesn't match any pods/, 'its pods are those of Jobs, which nothing here lists'],
  [
    /host podAntiAffinity/,
    'replicas are spread over zones by a topology spread constraint; the two watchers elect a leader',
  ],
];
