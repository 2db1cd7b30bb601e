import type { Command } from 'commander';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { withHints } from '../hints.ts';
import { toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { command, type Session, withControl } from '../session.ts';

interface Hours {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** One decision of an operator on a tenant's data, written and said. */
function decide<T extends object>(
  session: Session,
  work: (control: OperatorApi) => Promise<T>,
  said: (done: T) => { readonly name: string; readonly text: string },
): Promise<void> {
  return withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const done = await withHints(session, () => work(control));
    const { name, text } = said(done);
    print(session.output, { [name]: done }, () => text);
  });
}

const hoursOf = (verb: Command): Command =>
  verb
    .requiredOption('--from <time>', 'the first instant, as 2026-11-24T02:00:00Z')
    .requiredOption('--to <time>', 'the instant at which it ends')
    .requiredOption('--reason <text>', 'why, for the audit log');

/** `quality accept`, `exclude` and `backfill`: what counts as usual. */
export function addQualityActs(quality: Command, session: () => Session): void {
  const next = (tenantId: string) => `("${command(session(), `quality run ${tenantId}`)}")`;
  quality
    .command('accept')
    .description(
      'take the data as it is now for usual: forget what was learnt before, and learn from then on',
    )
    .argument('<tenant>')
    .option('--from <time>', 'since when it is so, as 2026-11-24T02:00:00Z (now)')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .action((tenantId: string, { reason, from }: { reason: string; from?: string }) =>
      decide(
        session(),
        ({ quality: acts }) => acts.accept({ tenantId, reason, ...(from === undefined ? {} : { from }) }),
        (accepted) => ({
          name: 'accepted',
          text: `What is usual of ${tenantId} is learnt again from ${toTheSecond(accepted.from)} on ${next(tenantId)}.`,
        }),
      ),
    );
  hoursOf(
    quality
      .command('exclude')
      .description('leave the hours of an incident out of what is usual')
      .argument('<tenant>'),
  ).action((tenantId: string, hours: Hours) =>
    decide(
      session(),
      ({ quality: acts }) => acts.exclude({ ...hours, tenantId }),
      ({ from, to }) => ({
        name: 'excluded',
        text: `What ${tenantId}'s data was from ${toTheSecond(from)} to ${toTheSecond(to)} is no part of what is usual any more.`,
      }),
    ),
  );
  hoursOf(
    quality
      .command('backfill')
      .description("look again at the partitions of a tenant's dataset in some hours, also at old ones")
      .argument('<tenant>'),
  ).action((tenantId: string, hours: Hours) =>
    decide(
      session(),
      ({ quality: acts }) => acts.backfill({ ...hours, tenantId }),
      ({ from, to }) => ({
        name: 'backfill',
        text: `The next checks look at the partitions of ${tenantId} from ${toTheSecond(from)} to ${toTheSecond(to)}, 48 each ${next(tenantId)}.`,
      }),
    ),
  );
}
