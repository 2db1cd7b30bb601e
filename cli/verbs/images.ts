import type { Command } from 'commander';
import { type ImageRecord, tenantsToMark } from '../../lib/training/images.ts';
import { withHints } from '../hints.ts';
import { plain, toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';

/** `data-pipeline@sha256:0123456789ab`: what tells images apart, without the host of their registry. */
function shortName(image: string): string {
  const [name = '', digest = ''] = image.split('@');
  return `${name.split('/').at(-1)}@${digest.slice(0, 'sha256:'.length + 12)}`;
}

function rowOf({ image, badSince, provenAt, failures }: ImageRecord): string[] {
  const newest = failures.at(-1);
  return [
    plain(shortName(image)),
    badSince === undefined ? '' : `bad since ${toTheSecond(badSince)}`,
    provenAt === undefined ? '' : toTheSecond(provenAt),
    `${failures.length} of ${tenantsToMark}`,
    plain(newest?.why ?? ''),
  ];
}

async function list(session: Session): Promise<void> {
  await withControl(session, { mode: 'read' }, async (control) => {
    const images = await control.images.list();
    print(session.output, { images }, () =>
      images.length === 0
        ? 'No job was started yet.'
        : table(
            session.output,
            ['IMAGE', 'STATE', 'STARTED', 'FAILURES', 'NEWEST REASON'],
            images.map(rowOf),
          ),
    );
  });
}

async function clear(session: Session, image: string): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const record = await withHints(session, () => control.images.clear({ image }));
    print(session.output, { image: record }, () => `Runs begin with ${record.image} again.`);
  });
}

/** `images ...` */
export function addImages(program: Command, session: () => Session): void {
  const images = program
    .command('images')
    .description('list and clear images that jobs could not be started from');
  images
    .command('list')
    .description('list images, when jobs were last started from them, and which are bad')
    .action(() => list(session()));
  images
    .command('clear')
    .description('let runs begin with a bad image again, once its cause is fixed')
    .argument('<image>', 'as listed: name@sha256:digits; digits alone (7 or more) do')
    .action((image: string) => clear(session(), image));
}
