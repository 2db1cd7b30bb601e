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
  {
    peer: 'ministack',
    name: 'a machine that fails is States.TaskFailed for the one that started it',
    verdict:
      "the engine stays: by the guide to starting executions from a Task a child that fails makes the Task fail with States.TaskFailed, the child's own error is in the description that is the cause",
  },
  {
    peer: 'ministack',
    name: 'within the tolerated count and percentage',
    verdict:
      'the engine stays: in the JSONata dialect every state but Fail has an Output field, and the emulator ignores it on a distributed Map',
  },
];
