/** What was found against the job contract: a fault breaks it, an advice only costs something. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: 'fault' | 'advice';
  /** What the job did. */
  readonly message: string;
  readonly fix: string;
}

/** What can be found, with the fix of each. */
const catalogue = {
  COMMAND_FAILED: ['fault', 'Make the command work in a shell first; its last words are shown.'],
  TOO_SLOW: ['fault', 'The documents of the check are few; give it longer with --seconds.'],
  RESULT_MISSING: [
    'fault',
    'Write a JSON object to the file that EPSILON_RESULT_PATH names, as the last act.',
  ],
  RESULT_TOO_LARGE: [
    'fault',
    'Keep the result below 4,096 bytes; what is larger belongs below EPSILON_OUTPUT.',
  ],
  RESULT_NOT_JSON: [
    'fault',
    'The file that EPSILON_RESULT_PATH names holds one JSON object and nothing else.',
  ],
  RESULT_NOT_IN_OUTPUT: [
    'fault',
    'Write the same JSON to result.json below EPSILON_OUTPUT: Batch reads it there.',
  ],
  RESULT_FACT_MISSING: ['fault', 'Promotion needs these facts; put them into the result.'],
  MANIFEST_MISSING: [
    'fault',
    'Write manifest.json below EPSILON_OUTPUT when all files are there: without it the output counts as absent.',
  ],
  MANIFEST_WRONG: [
    'fault',
    'Name every file in "files", each with name, bytes and sha256, after it is written.',
  ],
  MANIFEST_NOT_LAST: ['fault', 'Write manifest.json after the files that it names.'],
  FILE_MISSING: ['fault', 'Write the file under this name, or name it in the workload (model).'],
  WRITES_ELSEWHERE: ['fault', 'Write below EPSILON_OUTPUT only; on AWS everything else is refused.'],
  LEAVES_PROCESSES: [
    'advice',
    'Wait for every process that the job starts: those left are killed when the first process ends.',
  ],
  WRAPPER_KEEPS_SIGNAL: [
    'fault',
    'Start the program by exec, so that it is the first process itself, or by an init such as tini.',
  ],
  IGNORES_SIGTERM: [
    'fault',
    'Save and leave with 143 when SIGTERM comes; after the grace period comes SIGKILL.',
  ],
  SIGTERM_EXIT_CODE: [
    'fault',
    'Leave with 143 after SIGTERM: any other code counts as a failure of the job.',
  ],
  NO_CHECKPOINT: [
    'advice',
    'Save where the training is, below EPSILON_OUTPUT, when SIGTERM comes: what was trained is lost otherwise.',
  ],
  DOES_NOT_RESUME: [
    'fault',
    'The attempt after an interrupted one must succeed, whatever the first left behind.',
  ],
  STARTS_AGAIN: [
    'advice',
    'Take the furthest whole checkpoint below the input "checkpoints" up: it is of any attempt of the stage.',
  ],
  OTHER_MODEL: [
    'advice',
    'Take all randomness from EPSILON_SEED and keep it in the checkpoint: the same data and seed give the same model.',
  ],
  HIDES_FAILED_WRITE: ['fault', 'Leave with another code than 0 when the output cannot be written.'],
  ACCEPTS_MISSING_INPUT: ['fault', 'Leave with 66 when an input is not there.'],
  RETRIES_MISSING_INPUT: [
    'advice',
    'Leave with 64 to 78 (66: no input): other codes are tried again, which cannot help.',
  ],
  ACCEPTS_ANY_CONTRACT: [
    'advice',
    'Refuse a version in EPSILON_CONTRACT that the job does not know, with 78.',
  ],
  NO_PROGRESS: [
    'advice',
    'Append lines of JSON to the file that EPSILON_PROGRESS_PATH names: people see how far the job is.',
  ],
} as const satisfies Readonly<Record<string, readonly ['fault' | 'advice', string]>>;

/** Stable name of what can be found. */
export type FindingCode = keyof typeof catalogue;

/** A finding with what the job did; its own fix where the usual one is not enough. */
export function finding(code: FindingCode, message: string, fix?: string): Finding {
  const [severity, usual] = catalogue[code];
  return { code, severity, message, fix: fix ?? usual };
}
