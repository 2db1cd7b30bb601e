import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { checkMachineInput } from '../../lib/machines/check-input.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { releaseMachines } from '../../lib/release/machines.ts';
import {
  lastKept,
  type Release,
  type ReleaseAct,
  type ReleaseEnvironment,
  releaseEnvironments,
  releaseName,
} from '../../lib/release/release.ts';
import { withHints } from '../hints.ts';
import { plain, toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { workOn } from '../release/work.ts';
import { checkSignal, command, lookInterval, pause, type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

const machine = 'release';

/** Images of a file: a line for each, its name and its reference by digest. */
function imagesOf(file: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new EpsilonError('FILE_UNREADABLE', `${file}: ${(error as Error).message}.`);
  }
  const images: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [name = '', reference = '', ...more] = line.trim().split(/\s+/);
    const fault =
      more.length > 0 || reference === ''
        ? 'must be a name and an image'
        : Object.hasOwn(images, name)
          ? `has ${name} again`
          : undefined;
    if (fault) throw new EpsilonError('IMAGES_INVALID', `${file}, line ${index + 1} ${fault}.`);
    images[name] = reference;
  }
  return images;
}

/** The canary has to exist: without its run a new control plane would be taken back each time. */
async function requireCanary(control: OperatorApi, tenantId: string): Promise<void> {
  const tenant = await control.tenants.get(tenantId);
  if (tenant?.status === 'active') return;
  throw new EpsilonError(
    'CANARY_MISSING',
    `Tenant "${tenantId}" ${tenant ? `is ${tenant.status}` : 'does not exist'}: the new version of the control plane is tried with it. Add a small one, or name another with --canary.`,
  );
}

async function startRelease(
  session: Session,
  control: OperatorApi,
  name: string,
  input: Readonly<Record<string, unknown>>,
): Promise<void> {
  const [definition] = releaseMachines;
  if (definition) checkMachineInput(definition, input, session.clock.now());
  await requireCanary(control, String(input['canaryTenant']));
  await withHints(session, () => control.workflows.start({ machine, name, input }));
}

const stateOf = ({ outcome, acts, rollbackAsked }: Release): string => {
  if (outcome !== undefined) return outcome === 'kept' ? 'kept' : 'rolled back';
  const open = acts.find(({ answeredAt }) => answeredAt === undefined);
  const what = open ? `waits for ${open.kind} ${open.environment}` : 'under way';
  return rollbackAsked ? `${what}, is taken back` : what;
};

const rowOf = ({ number, kind, environment, askedAt, answeredAt, outcome, said }: ReleaseAct) => [
  number,
  kind,
  environment,
  toTheSecond(askedAt),
  answeredAt === undefined ? '' : toTheSecond(answeredAt),
  outcome ?? 'waits',
  plain(said ?? ''),
];

function textOf(session: Session, release: Release): string {
  const { releaseId, commit, images, replaces, because, takesBack, acts } = release;
  return [
    `${releaseId}  ${stateOf(release)}`,
    `commit ${commit}`,
    ...(takesBack === undefined ? [] : [`takes back ${takesBack}`]),
    ...(replaces ? [`is taken back to ${replaces.releaseId}, commit ${replaces.commit}`] : []),
    ...(because === undefined ? [] : [`because: ${plain(because)}`]),
    ...Object.entries(images).map(([name, image]) => `${name} ${image}`),
    '',
    table(session.output, ['ACT', 'WHAT', 'WHERE', 'ASKED', 'ANSWERED', 'OUTCOME', 'SAID'], acts.map(rowOf)),
  ].join('\n');
}

/** The release named, or the newest. */
async function find(session: Session, control: OperatorApi, releaseId: string | undefined): Promise<Release> {
  const [newest] = releaseId === undefined ? await control.releases.list() : [];
  const found = releaseId === undefined ? newest : await control.releases.get(releaseId);
  if (found) return found;
  const next = `"${command(session, 'release list')}" lists them.`;
  throw new NotFound(
    'RELEASE_NOT_FOUND',
    releaseId === undefined ? 'There was no release yet.' : `There is no release "${releaseId}"; ${next}`,
  );
}

/** Watches a release to its end; exit code 1 when it was rolled back or its execution failed. */
async function watch(session: Session, control: OperatorApi, releaseId: string): Promise<Release> {
  let shown = 0;
  for (;;) {
    checkSignal(session, `"${command(session, `release show ${releaseId}`)}" says where it is.`);
    const release = await control.releases.get(releaseId);
    const told = release?.acts.filter(({ answeredAt }) => answeredAt !== undefined) ?? [];
    for (const { kind, environment, outcome, said } of told.slice(shown))
      if (!session.output.json)
        session.output.warn(
          `${kind} ${environment}: ${outcome}${outcome === 'failed' ? ` (${plain(said ?? '')})` : ''}\n`,
        );
    shown = Math.max(shown, told.length);
    if (release?.outcome !== undefined) return release;
    const { status, error, cause } = await control.workflows.describe(`${machine}/${releaseId}`);
    if (status !== 'RUNNING' && status !== 'SUCCEEDED')
      throw new EpsilonError(
        error ?? 'RELEASE_FAILED',
        `Release ${releaseId} ended ${status}: ${cause ?? ''} "${command(session, `redrive ${machine}/${releaseId}`)}" continues it.`,
        { exitCode: exitCodes.runFailed },
      );
    await pause(session, lookInterval(session));
  }
}

function endOf(session: Session, release: Release): void {
  print(session.output, { release }, () => textOf(session, release));
  if (release.outcome === 'rolledBack')
    throw new EpsilonError(
      'RELEASE_ROLLED_BACK',
      `Release ${release.releaseId} was rolled back: ${release.because ?? ''}.`,
      { exitCode: exitCodes.runFailed },
    );
}

interface StartOptions {
  readonly commit: string;
  readonly images: string;
  readonly canary: string;
  readonly again?: string;
  readonly wait: boolean;
}

async function start(session: Session, options: StartOptions): Promise<void> {
  const images = imagesOf(options.images);
  const again = options.again === undefined ? 0 : wholeNumber('--again', options.again, 99);
  const name = releaseName({ commit: options.commit, images }, '', again);
  const input = { commit: options.commit, images, canaryTenant: options.canary };
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const there = await control.releases.get(name);
    if (there?.outcome !== undefined)
      throw new EpsilonError(
        'RELEASE_OVER',
        `Release ${name} is over: ${stateOf(there)}. "--again ${again + 1}" releases the same once more.`,
        { exitCode: exitCodes.conflict },
      );
    // Begun by a command that died, or by another try of the same workflow: it goes on.
    if (!there) await startRelease(session, control, name, input);
    if (options.wait) endOf(session, await watch(session, control, name));
    else print(session.output, { releaseId: name }, () => `Release ${name} is under way.`);
  });
}

async function list(session: Session): Promise<void> {
  await withControl(session, { mode: 'read' }, async (control) => {
    const releases = await control.releases.list();
    print(session.output, { releases }, () =>
      releases.length === 0
        ? 'There was no release yet.'
        : table(
            session.output,
            ['RELEASE', 'STATE', 'STARTED', 'FINISHED', 'COMMIT'],
            releases.map((one) => [
              one.releaseId,
              stateOf(one),
              toTheSecond(one.startedAt),
              one.finishedAt === undefined ? '' : toTheSecond(one.finishedAt),
              one.commit.slice(0, 12),
            ]),
          ),
    );
  });
}

/** A release under way is given up; one that was kept is taken back by another release, of what was kept before it. */
async function rollback(
  session: Session,
  given: string | undefined,
  options: { readonly reason: string; readonly canary: string },
): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const { releaseId, outcome } = await find(session, control, given);
    if (outcome === undefined) {
      await withHints(session, () => control.releases.rollback({ releaseId, reason: options.reason }));
      endOf(session, await watch(session, control, releaseId));
      return;
    }
    const before = outcome === 'kept' ? lastKept(await control.releases.list(), releaseId) : undefined;
    if (!before) {
      const why = outcome === 'kept' ? 'nothing was kept before it' : 'it was rolled back already';
      throw new EpsilonError('NOTHING_TO_ROLL_BACK', `Release ${releaseId} cannot be taken back: ${why}.`, {
        exitCode: exitCodes.conflict,
      });
    }
    const { commit, images } = before;
    const name = `back-${releaseId}`.slice(0, 80);
    await startRelease(session, control, name, {
      commit,
      images,
      canaryTenant: options.canary,
      takesBack: releaseId,
    });
    endOf(session, await watch(session, control, name));
  });
}

/** `release ...`. */
export function addRelease(program: Command, session: () => Session): void {
  const release = program
    .command('release')
    .description('release images and control plane, and take them back');
  release
    .command('start')
    .description('release a commit with its images: staging, production, control plane; back on failure')
    .requiredOption('--commit <commit>', 'what is released, 40 hexadecimal digits')
    .requiredOption('--images <file>', 'a line for each image: its name, and <repository>@sha256:<digest>')
    .option('--canary <tenant>', 'tenant that the new version of the control plane is tried with', 'canary')
    .option('--again <n>', 'a further try of what was released before')
    .option('--no-wait', 'do not watch it')
    .action((options: StartOptions) => start(session(), options));
  release
    .command('list')
    .description('list releases, newest first')
    .action(() => list(session()));
  release
    .command('show')
    .description('show a release, the newest by default: its images, its acts, how it ended')
    .argument('[release]')
    .action((releaseId?: string) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const found = await find(session(), control, releaseId);
        print(session().output, { release: found }, () => textOf(session(), found));
      }),
    );
  release
    .command('work')
    .description(
      'do the acts that a release asks for in one environment, each with a program; ends when it is over there',
    )
    .argument('<release>')
    .addOption(
      new Option('--in <environment>', 'where').choices([...releaseEnvironments]).makeOptionMandatory(),
    )
    .requiredOption('--with <program>', 'is called with the act and the environment: infra/release/act.sh')
    .action((releaseId: string, options: { in: ReleaseEnvironment; with: string }) =>
      withControl(session(), { mode: 'write', schedules: false }, async (control) => {
        const work = { releaseId, environment: options.in, program: options.with };
        endOf(session(), await workOn(session(), control, work));
      }),
    );
  release
    .command('rollback')
    .description('take a release back, the newest by default, whether it is under way or was kept')
    .argument('[release]')
    .requiredOption('--reason <text>', 'why')
    .option('--canary <tenant>', 'tenant that a control plane is tried with', 'canary')
    .action((releaseId: string | undefined, options: { reason: string; canary: string }) =>
      rollback(session(), releaseId, options),
    );
}
