import type { Json } from './json.ts';

/** What a mocked Task answers. */
export type MockedResponse =
  | { readonly Return: Json }
  | { readonly Throw: { readonly Error: string; readonly Cause: string } };

/** Answers Tasks by state name; undefined where the state is not mocked. */
export type Mock = (stateName: string) => MockedResponse | undefined;
