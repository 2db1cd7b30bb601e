/** A reason why a recording does not come out the same, for all whose refusal or difference matches. */
export interface Explained {
  readonly matches: RegExp;
  readonly reason: string;
}

/** Known refusals: what the embedded engine does not run, by the words of the refusal. Differences are never explained. */
export const explained: readonly Explained[] = [
  {
    matches: /QueryLanguage: only JSONata/,
    reason: 'a state is in JSONPath, which the embedded engine does not run',
  },
  {
    matches: /Resource: "arn:aws:lambda:/,
    reason: "a function's own ARN as the resource: machines here use lambda:invoke",
  },
  { matches: /Credentials: unknown field/, reason: 'roles of other accounts mean nothing on one machine' },
  { matches: /aws-sdk:s3:getObject/, reason: 'SDK integrations are not among the supported resources' },
];
