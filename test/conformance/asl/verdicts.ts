/** Why a difference from another interpreter stands, by what the language's documentation says. */
export interface Verdict {
  readonly peer: string;
  readonly name: string;
  readonly verdict: string;
}

/** Differences that every comparison with a peer has; they are set aside before comparing. */
export const systematic: readonly {
  readonly peer: string;
  readonly difference: string;
  readonly verdict: string;
}[] = [
  {
    peer: 'ministack',
    difference: 'its history holds no events of states inside branches and iterations',
    verdict:
      'the engine stays: GetExecutionHistory lists the events of every state; only top-level states are compared',
  },
  {
    peer: 'ministack',
    difference: 'a failed execution has an output with Error and Cause',
    verdict:
      'the engine stays: by the API reference of DescribeExecution only a succeeded execution has an output; outputs of failed runs are not compared',
  },
];

/** Differences that were looked into, one by one. */
export const verdicts: readonly Verdict[] = [
  {
    peer: 'ministack',
    name: 'Parallel with Arguments and Output',
    verdict:
      'the engine stays: in the JSONata dialect every state but Fail has an Output field, and the emulator ignores it on Parallel',
  },
];
