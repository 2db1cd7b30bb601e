import { readFileSync } from 'node:fs';

/** Variables of this process that jobs may see. Everything else, secrets above all, stays here. */
const allowed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const;

/** The part of an environment that jobs inherit. */
export function allowedEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    allowed.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])),
  );
}

/** Whether a process was started as a job (Linux; false where that cannot be seen). */
export function carriesJob(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes('EPSILON_RUN_ID=');
  } catch {
    return false;
  }
}
