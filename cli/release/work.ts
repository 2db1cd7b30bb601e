import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentVariables } from '../../lib/config/environment.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import {
  openActOf,
  type Release,
  type ReleaseAct,
  type Released,
  type ReleaseEnvironment,
} from '../../lib/release/release.ts';
import { checkSignal, lookInterval, pause, type Session } from '../session.ts';

/** Milliseconds between two beats; the machine waits ten minutes for one. */
const beatMs = 60_000;

/** Characters of a program's last line that are given as what it said. */
const longestSaid = 1_000;

/** How one act went; undefined when the machine gave it up meanwhile. */
interface Done {
  readonly outcome: 'done' | 'failed';
  readonly said: string;
}

const linesOf = (images: Released['images']) =>
  Object.entries(images)
    .map(([name, image]) => `${name} ${image}\n`)
    .join('');

/** What a program is told of a release, in its environment; images are files with a line each. */
function told({ releaseId, commit, images, replaces }: Release, folder: string): Record<string, string> {
  const file = (name: string, given: Released['images']) => {
    const path = join(folder, name);
    writeFileSync(path, linesOf(given));
    return path;
  };
  return {
    RELEASE_ID: releaseId,
    RELEASE_COMMIT: commit,
    RELEASE_IMAGES: file('images', images),
    ...(replaces
      ? { RELEASE_REPLACES: replaces.commit, RELEASE_REPLACES_IMAGES: file('replaces', replaces.images) }
      : {}),
  };
}

/** Runs a program for an act, beating meanwhile; ends it when the machine waits no longer. */
async function perform(
  { clock, output }: Session,
  control: OperatorApi,
  program: string,
  { release, act }: { readonly release: Release; readonly act: ReleaseAct },
): Promise<Done | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-release-'));
  const child = spawn(program, [act.kind, act.environment], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environmentVariables(), ...told(release, folder) },
  });
  let lastLine = '';
  let givenUp = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      output.warn(text.toString());
      lastLine = text.toString().trimEnd().split('\n').at(-1) || lastLine;
    });
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', (error) => {
    lastLine = error.message;
    resolve(127);
  });
  child.once('exit', (code) => resolve(code ?? 1));
  const ref = { releaseId: release.releaseId, act: act.number };
  const beat = () => {
    timer = clock.setTimer(beatMs, () => {
      control.releases.beat(ref).then(
        (waits) => {
          if (waits) beat();
          else {
            givenUp = true;
            child.kill('SIGTERM');
          }
        },
        // The next beat may get through.
        beat,
      );
    });
  };
  let timer = clock.setTimer(0, () => {});
  beat();
  const code = await promise;
  timer.cancel();
  rmSync(folder, { recursive: true, force: true });
  if (givenUp) return undefined;
  return { outcome: code === 0 ? 'done' : 'failed', said: lastLine.slice(0, longestSaid) };
}

/** Gives an answer; one that comes too late changes nothing, because the machine has gone on. */
async function answer(control: OperatorApi, releaseId: string, act: number, done: Done): Promise<void> {
  try {
    await control.releases.answer({ releaseId, act, ...done });
  } catch (error) {
    if (!(error instanceof EpsilonError) || error.code !== 'ACT_NOT_OPEN') throw error;
  }
}

/**
 * Does the acts of a release in one environment with a program, until it is over there: the machine asks for an act elsewhere after
 * one was done here, or the release ended. Gives the release.
 */
export async function workOn(
  session: Session,
  control: OperatorApi,
  given: { readonly releaseId: string; readonly environment: ReleaseEnvironment; readonly program: string },
): Promise<Release> {
  const { releaseId, environment, program } = given;
  for (;;) {
    checkSignal(session, 'the same command goes on with the act that waits.');
    const release = await control.releases.get(releaseId);
    const { status, cause } = await control.workflows.describe(`release/${releaseId}`);
    if (release?.outcome !== undefined) return release;
    if (status !== 'RUNNING')
      throw new EpsilonError('RELEASE_FAILED', `Release ${releaseId} ended ${status}: ${cause ?? ''}`, {
        exitCode: exitCodes.runFailed,
      });
    const act = release && openActOf(release);
    if (release && act?.environment === environment) {
      const done = await perform(session, control, program, { release, act });
      if (done) await answer(control, releaseId, act.number, done);
    } else if (release && act && isBehind(release, environment)) return release;
    else await pause(session, lookInterval(session));
  }
}

/** Whether the release has left an environment for the next: production comes after staging. */
const isBehind = ({ acts }: Release, environment: ReleaseEnvironment): boolean =>
  environment === 'staging' && acts.some((act) => act.environment === 'production');
