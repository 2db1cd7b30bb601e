import { EpsilonError } from '../errors/epsilon-error.ts';

/** Characters that the service does not allow in a name. */
const forbidden = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]/u;

/** Returns the execution name unchanged when it is allowed; otherwise `RUN_NAME_INVALID` with the position. */
export function checkExecutionName(name: string): string {
  const bad = forbidden.exec(name);
  if (bad) {
    throw new EpsilonError(
      'RUN_NAME_INVALID',
      `Execution name ${JSON.stringify(name)}: ${JSON.stringify(bad[0])} at position ${bad.index + 1} is not allowed.`,
      {
        details: { position: bad.index + 1 },
      },
    );
  }
  if (name.length >= 1 && name.length <= 80) return name;
  throw new EpsilonError(
    'RUN_NAME_INVALID',
    `Execution name ${JSON.stringify(name)} has ${name.length} characters; 1 to 80 are allowed (position ${Math.min(name.length, 81)}).`,
    {
      details: { position: Math.min(name.length, 81) },
    },
  );
}
