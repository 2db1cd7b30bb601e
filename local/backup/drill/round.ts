import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FinishedRound } from '../../../lib/backup/drill.ts';
import type { Verification } from '../../../lib/backup/verification.ts';
import type { ServiceConfig } from '../../../lib/config/service-config.ts';
import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import type { Recovered } from '../../../lib/ports/backup/target.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import type { OperatorApi } from '../../../lib/ports/operator-api.ts';
import { connectControl } from '../../control/client.ts';
import { FileBackupRepository } from '../file-repository.ts';
import { Ledger, lossOf } from './ledger.ts';
import { awaitNewPoint } from './new-point.ts';
import { type DrillPlace, demandCommand, startDrilled } from './processes.ts';

/** What a round works with. */
export interface RoundParts {
  readonly place: DrillPlace;
  readonly config: ServiceConfig;
  readonly clock: Clock;
  /** Folder of ledgers, outside the state. */
  readonly ledgers: string;
  /** Milliseconds between two backups. */
  readonly everyMs: number;
  /** Milliseconds for which writes are acknowledged before the kill. */
  readonly writeMs: number;
}

/** What a tenant's live model is asked, and which one has to answer. */
export interface Question {
  readonly tenantId: string;
  readonly model: string;
  readonly text: string;
}

const failed = (message: string) =>
  new EpsilonError('DRILL_FAILED', message, { exitCode: exitCodes.backend });

async function connect({ place, config, clock }: RoundParts): Promise<OperatorApi> {
  const control = await connectControl(join(place.stateDir, 'control.sock'), {
    config,
    clock,
    objects: createFileObjectStore({ root: join(place.stateDir, 'objects') }),
  });
  if (control) return control;
  throw failed('the drilled control plane does not answer');
}

/** Some text that the model knows the words of: a passage that it was trained on. */
async function passageOf({ objects }: OperatorApi, prefix: string): Promise<string> {
  for await (const { uri } of objects.list(prefix)) {
    if (!uri.endsWith('.jsonl')) continue;
    const [first = ''] = new TextDecoder().decode(await objects.get(uri)).split('\n');
    const { text } = JSON.parse(first || '{}') as { text?: unknown };
    if (typeof text === 'string') return text.slice(0, 300);
  }
  return '';
}

/** A question to the first tenant that has a live model. `DRILL_NOTHING_LIVE`. */
async function questionFor(control: OperatorApi): Promise<Question> {
  for (const { tenantId } of await control.tenants.list()) {
    const live = await control.models.live(tenantId);
    const text = live ? await passageOf(control, live.dataUri) : '';
    if (live && text !== '') return { tenantId, model: live.modelVersion, text };
  }
  throw new EpsilonError(
    'DRILL_NOTHING_LIVE',
    'No tenant of the newest point has a live model that could answer: train one and make a backup, then run the drill.',
  );
}

/** Asks for one write after another until the control plane is gone; what was acknowledged is in the ledger. */
async function writeOn(
  parts: RoundParts,
  control: OperatorApi,
  tenantId: string,
  ledger: Ledger,
): Promise<void> {
  for (let n = 0; ; n += 1) {
    const priority = n % 100;
    try {
      const { version } = await control.tenants.update({ tenantId, changes: { priority } });
      ledger.add({ version, at: parts.clock.now() });
    } catch (error) {
      // The control plane was killed under the call: nobody was promised this one.
      if (error instanceof EpsilonError && error.code === 'CONTROL_UNREACHABLE') return;
      throw error;
    }
  }
}

function pause({ clock }: RoundParts, milliseconds: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(milliseconds, resolve));
}

/** Milliseconds that the backup had taken which a kill cut short; 0 when none was under way. */
function cutShortMs(stateDir: string, killedAt: number): number {
  const found = statSync(join(stateDir, 'backup.tmp'), { throwIfNoEntry: false });
  return found ? Math.max(0, Math.round(killedAt - (found.birthtimeMs || found.ctimeMs))) : 0;
}

/** Writes until the control plane has made a backup and some time longer, kills in the middle of it, and removes the state. */
async function killWhileWriting(parts: RoundParts, round: number) {
  const { place, ledgers, clock, everyMs } = parts;
  const repository = new FileBackupRepository(place.backups);
  const known = new Set((await repository.points()).map(({ id }) => id));
  const drilled = await startDrilled(place, parts.everyMs);
  const ledger = new Ledger(join(ledgers, `round-${round}.jsonl`));
  try {
    const control = await connect(parts);
    const question = await questionFor(control);
    const writing = writeOn(parts, control, question.tenantId, ledger);
    await Promise.race([
      awaitNewPoint({ repository, clock, everyMs }, known),
      writing.then(() => Promise.reject(failed('the drilled control plane ended before it was killed'))),
    ]);
    await pause(parts, parts.writeMs);
    const killedAt = clock.now();
    await drilled.kill();
    await writing;
    const unfinishedMs = cutShortMs(place.stateDir, killedAt);
    rmSync(place.stateDir, { recursive: true, force: true });
    const entries = ledger.entries().filter(({ at }) => at <= killedAt);
    return { question, killedAt, entries, unfinishedMs };
  } finally {
    ledger.close();
    await drilled.kill();
  }
}

interface Restored {
  readonly digest: string;
  readonly point: { readonly id: string };
  readonly verification: Verification;
  readonly recovered: Recovered;
  readonly passedOver: readonly unknown[];
}

/** Restores as an operator does: looks at what would be restored, then approves it. */
async function restore({ place, clock }: RoundParts) {
  const shown = (await demandCommand(place, ['restore', '--to', 'newest'])) as unknown as Restored;
  const verifiedAt = clock.now();
  await demandCommand(place, ['restore', '--id', shown.point.id, '--approve', shown.digest]);
  return { shown, verifiedAt, promotedAt: clock.now() };
}

async function countUnderWay({ workflows, runs }: OperatorApi): Promise<number> {
  const running = await workflows.list({ status: 'RUNNING', limit: 1_000 });
  return running.length + (await runs.listRuns({ status: 'running', limit: 1_000 })).length;
}

/** A write that is acknowledged and then read back. */
async function verifiedWrite({ tenants }: OperatorApi, tenantId: string): Promise<void> {
  const { version } = await tenants.update({ tenantId, changes: { priority: 50 } });
  const read = await tenants.get(tenantId);
  if (read?.version !== version)
    throw failed(`a write made version ${version}, and ${read?.version} was read`);
}

/** One round: writes, a kill without warning, the loss of the state, a restore, a write and a query. */
export async function drillRound(parts: RoundParts, round: number): Promise<FinishedRound> {
  const { place, clock } = parts;
  const { question, killedAt, entries, unfinishedMs } = await killWhileWriting(parts, round);
  const { shown, verifiedAt, promotedAt } = await restore(parts);
  const drilled = await startDrilled(place, parts.everyMs);
  try {
    const control = await connect(parts);
    const answeredAt = clock.now();
    const restoredVersion = (await control.tenants.get(question.tenantId))?.version ?? 0;
    const underWay = await countUnderWay(control);
    await verifiedWrite(control, question.tenantId);
    const wroteAt = clock.now();
    const asked = ['query', '--tenant', question.tenantId, question.text];
    const { modelVersion, answers } = await demandCommand(place, asked);
    const times = { killedAt, verifiedAt, promotedAt, answeredAt, wroteAt, queriedAt: clock.now() };
    const { objects, rows, pointers, bytesRead } = shown.verification;
    return {
      round,
      times,
      ...lossOf(entries, restoredVersion, killedAt),
      unfinishedMs,
      point: shown.point.id,
      passedOver: shown.passedOver.length,
      objects,
      rows,
      pointers,
      bytesRead,
      underWay,
      model: String(modelVersion),
      modelBefore: question.model,
      answers: (answers as unknown[]).length,
    };
  } finally {
    await drilled.kill();
  }
}
