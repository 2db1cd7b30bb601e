/** One event of a history, as far as it is compared. */
export interface Event {
  readonly type: string;
  readonly stateEnteredEventDetails?: { readonly name: string };
  readonly stateExitedEventDetails?: { readonly name: string };
}

/** States in the order in which an execution went in and out of them: `> TrainModel`, `< TrainModel`. */
export function steps(events: readonly Event[]): string[] {
  return events.flatMap(({ type, stateEnteredEventDetails: entered, stateExitedEventDetails: exited }) => {
    if (entered) return [`> ${entered.name} (${type})`];
    return exited ? [`< ${exited.name} (${type})`] : [];
  });
}

const nameOf = (step: string) => step.split(' ')[1] ?? '';

/**
 * The same with the branches of a Parallel one after the other: they run at once, so that the order between them is chance,
 * and each one's own order is not. `branches` names the states of each branch.
 */
export function inOrder(all: readonly string[], branches: readonly (readonly string[])[]): string[] {
  const inside = new Set(branches.flat());
  const first = all.findIndex((step) => inside.has(nameOf(step)));
  if (first < 0) return [...all];
  const outside = all.filter((step) => !inside.has(nameOf(step)));
  const sorted = branches.flatMap((branch) => all.filter((step) => branch.includes(nameOf(step))));
  return [...outside.slice(0, first), ...sorted, ...outside.slice(first)];
}
