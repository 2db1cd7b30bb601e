import type { Command } from 'commander';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { CapacityOverride } from '../../lib/scaling/decide.ts';
import { plain, toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { wholeNumber } from '../whole-number.ts';

/** The one that is in force, if any. */
const inForce = (override: CapacityOverride | null, now: number) =>
  override && Date.parse(override.expiresAt) > now ? override : null;

const textOf = ({ minReplicas, decidedAt, expiresAt, reason }: CapacityOverride) =>
  `At least ${minReplicas} replicas until ${toTheSecond(expiresAt)}, set ${toTheSecond(decidedAt)}: ${plain(reason)}`;

async function show(session: Session): Promise<void> {
  await withControl(session, { mode: 'read' }, async (control) => {
    const override = inForce(await control.scaling.override(), control.clock.now());
    print(session.output, { override }, () =>
      override ? textOf(override) : 'No operator has set the least replicas; the plan decides.',
    );
  });
}

interface SetOptions {
  readonly replicas: string;
  readonly hours: string;
  readonly reason: string;
}

async function set(session: Session, { replicas, hours, reason }: SetOptions): Promise<void> {
  const minReplicas = wholeNumber('--replicas', replicas, 1_000);
  const long = Number(hours);
  if (hours.trim() === '' || !(long > 0 && long <= 168))
    throw new EpsilonError('USAGE', `--hours ${hours} is not a number above 0, up to 168.`);
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const override = await control.scaling.set({ minReplicas, hours: long, reason });
    print(
      session.output,
      { override },
      () => `${textOf(override)}\nIt takes effect with the next decision, within ten minutes.`,
    );
  });
}

async function clear(session: Session, { reason }: Pick<SetOptions, 'reason'>): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const override = inForce(await control.scaling.override(), control.clock.now());
    if (override) await control.scaling.set({ minReplicas: override.minReplicas, hours: 0, reason });
    print(session.output, { cleared: override }, () =>
      override
        ? `The plan decides again, from its next decision on (before: ${override.minReplicas} replicas at least).`
        : 'Nothing was set that could be cleared.',
    );
  });
}

/** `scale override ...`. */
export function addScaleOverride(scale: Command, session: () => Session): void {
  const override = scale
    .command('override')
    .description('set the least replicas for some hours, whatever the plan says');
  override
    .command('show')
    .description('show what is set')
    .action(() => show(session()));
  override
    .command('set')
    .description('set the least replicas from the next decision on; the HPA still adds what it needs')
    .requiredOption('--replicas <n>', "least replicas, from the settings' minimum to one below the maximum")
    .requiredOption('--reason <text>', 'why, for the audit log and the decisions')
    .option('--hours <n>', 'how long, at most 168', '4')
    .action((options: SetOptions) => set(session(), options));
  override
    .command('clear')
    .description('let the plan decide again')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .action((options: SetOptions) => clear(session(), options));
}
