/** The process's environment variables, read here and nowhere else, frozen. */
export function environmentVariables(): Readonly<Record<string, string | undefined>> {
  return Object.freeze({ ...process.env });
}
