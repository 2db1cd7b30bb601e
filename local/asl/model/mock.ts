import type { Json } from './json.ts';

/** What a mocked Task answers. */
export type MockedResponse =
  | { readonly Return: Json }
  | { readonly Throw: { readonly Error: string; readonly Cause: string } }
  /** Nobody answers, or no heartbeat comes, until the Task's own time is over; at once where it has none. */
  | { readonly TimeOut: 'timeout' | 'heartbeat' };

/** Answers Tasks by state name; undefined where the state is not mocked. */
export type Mock = (stateName: string) => MockedResponse | undefined;
