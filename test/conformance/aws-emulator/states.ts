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

/** Steps without those of some states. */
export function without(all: readonly string[], states: readonly string[]): string[] {
  return all.filter((step) => !states.includes(step.split(' ')[1] ?? ''));
}
