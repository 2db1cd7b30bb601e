import { z } from 'zod';
import { checkSchema } from '../errors/check-schema.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';

/** Days that points may be kept, at most: ten years. */
const longestDays = 3_650;

const minutes = z.int().min(1).max(1_440);

/** `backup:` in infra/config/local.yml. */
const schema = z.strictObject({
  /** Minutes between two backups of a control plane that runs; `off` makes none by itself. */
  everyMinutes: z.union([minutes, z.literal('off')]).default(4),
  /** Minutes of acknowledged work that may be lost. */
  rpoMinutes: minutes.default(5),
  /** Folder that points are kept in; empty for `<state directory>-backups`. */
  directory: z.string().max(4_096).default(''),
  /** Days that points are kept. */
  keepDays: z.int().default(7),
  /** Points that are kept however old they are. */
  keepAtLeast: z.int().min(1).max(1_000).default(3),
  /** Days between two drills of a control plane that runs; `off` begins none by itself. */
  drillDays: z.union([z.int().min(1).max(30), z.literal('off')]).default(7),
});

/** How a control plane of this host is backed up. */
export type BackupSettings = Readonly<z.output<typeof schema>>;

/**
 * Settings with their defaults; `CONFIG_INVALID`, `RETENTION_RANGE`, and `RPO_UNREACHABLE` where backups are further apart than what
 * may be lost.
 */
export function backupSettings(given: unknown): BackupSettings {
  const checked = checkSchema(schema, given ?? {});
  if (!checked.success) {
    const { path, sentence, unknownKey } = checked.fault;
    const what =
      unknownKey === undefined
        ? `${['backup', ...path].join('.')} ${sentence}`
        : `backup.${unknownKey} is not known`;
    throw new EpsilonError('CONFIG_INVALID', `Setting ${what}.`, {
      details: { key: `backup.${path.join('.')}` },
    });
  }
  const { everyMinutes, rpoMinutes, keepDays } = checked.data;
  if (keepDays < 1 || keepDays > longestDays)
    throw new EpsilonError(
      'RETENTION_RANGE',
      `Setting backup.keepDays is ${keepDays}; it must be from 1 to ${longestDays}. 0 would keep nothing: everyMinutes: "off" makes no backups.`,
    );
  if (everyMinutes !== 'off' && everyMinutes > rpoMinutes)
    throw new EpsilonError(
      'RPO_UNREACHABLE',
      `A backup every ${everyMinutes} minutes can lose ${everyMinutes} minutes and the time that it takes; backup.rpoMinutes allows ${rpoMinutes}.`,
    );
  return checked.data;
}
