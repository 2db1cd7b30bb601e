/** Series that an Epsilon night beside `epsilon start` does not have, and why: a pattern and the reason. */
export const noDataHere: readonly (readonly [RegExp, string])[] = [
  [/^epsilon_watcher_/, 'the job watcher runs in a cluster; test:conformance:kubernetes runs it'],
];
