import { type GraphTask, taskIdOf } from './task-graph.ts';

function listOf(names: readonly string[]): string {
  return names.length === 1 ? (names[0] ?? '') : `[${names.join(', ')}]`;
}

/** The dependencies in Python, one line for tasks that come after the same ones: `a >> b`, or `a >> [b, c]`. */
export function dependencyLines(tasks: readonly GraphTask[], indent: string): string {
  const groups = Map.groupBy(
    tasks.filter(({ after }) => after.length > 0),
    ({ after }) => listOf(after.map(taskIdOf)),
  );
  return [...groups]
    .map(([before, those]) => `${indent}${before} >> ${listOf(those.map(({ state }) => taskIdOf(state)))}\n`)
    .join('');
}
