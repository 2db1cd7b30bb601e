/** Exit codes of the job contract (sysexits.h): 64-78 say that the input is wrong, except 75, "try again". */
export const jobExit = {
  usage: 64,
  data: 65,
  noInput: 66,
  unavailable: 69,
  software: 70,
  io: 74,
  tryAgain: 75,
  permission: 77,
  config: 78,
  terminated: 143,
} as const;

/** A failure the job explains itself: a stable code for machines, a sentence for people, an exit code for the platform. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly exitCode: number;
  readonly code: string;

  constructor(exitCode: number, code: string, message: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
  }
}

/** Thrown where work stops because the platform asked for it (SIGTERM). */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
