import { readFileSync } from 'node:fs';
import type { Context } from 'aws-lambda';
import { handler as assessRecovery } from '../../../functions/backup/assess-recovery.ts';
import { handler as awaitConsumers } from '../../../functions/backup/await-consumers.ts';
import { handler as beatStores } from '../../../functions/backup/beat-stores.ts';
import { handler as closeDrill } from '../../../functions/backup/close-drill.ts';
import { handler as holdRestore } from '../../../functions/backup/hold-restore.ts';
import { handler as holdSnapshot } from '../../../functions/backup/hold-snapshot.ts';
import { handler as openBackup } from '../../../functions/backup/open-backup.ts';
import { handler as openRestore } from '../../../functions/backup/open-restore.ts';
import { handler as promoteRestore } from '../../../functions/backup/promote-restore.ts';
import { handler as pruneRecords } from '../../../functions/backup/prune-records.ts';
import { handler as pruneSnapshots } from '../../../functions/backup/prune-snapshots.ts';
import { handler as removeRetired } from '../../../functions/backup/remove-retired.ts';
import { handler as verifyRestore } from '../../../functions/backup/verify-restore.ts';
import { handler as wakeBackup } from '../../../functions/backup/wake-backup.ts';
import { handler as wakeRestore } from '../../../functions/backup/wake-restore.ts';
import { handler as watchRecovery } from '../../../functions/backup/watch-recovery.ts';
import type { ExecutionDetail } from '../../../lib/ports/workflows.ts';
import { engineCallbacks } from '../../../local/adapters/engine-ports.ts';
import { intrinsicName, resolveIntrinsics } from '../../../local/asl/definition/resolve-intrinsics.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { RecoveryCloud } from '../../aws/recovery-cloud.ts';
import { makeBench } from '../../local/asl/harness.ts';

const handlers = {
  beatStores,
  awaitConsumers,
  wakeRestore,
  closeDrill,
  holdRestore,
  openRestore,
  promoteRestore,
  verifyRestore,
  assessRecovery,
  holdSnapshot,
  openBackup,
  pruneRecords,
  pruneSnapshots,
  removeRetired,
  wakeBackup,
  watchRecovery,
};
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 600_000 } as Context;

/** The machines of backups, their real handlers and adapters, over two simulated regions under virtual time. */
export function openBackups(recovery: object = {}) {
  const clock = new VirtualClock(Date.parse('2026-11-24T02:10:00Z'));
  const cloud = new RecoveryCloud(clock);
  const ports = cloud.ports(recovery);
  const bound: Record<string, (payload: unknown) => Promise<unknown>> = {};
  const bench = makeBench({ clock, functions: bound });
  const wired = Object.assign(Object.create(null, Object.getOwnPropertyDescriptors(ports)), {
    callbacks: engineCallbacks(bench.engine),
  });
  for (const [key, handler] of Object.entries(handlers)) {
    const invoke = handler.withPorts(wired);
    bound[key] = (payload) => invoke(JSON.parse(JSON.stringify(payload)), context);
  }
  for (const name of ['backup', 'restore', 'restore-drill', 'retention']) {
    const text = readFileSync(`statemachines/${name}.asl.json`, 'utf8');
    const definition = resolveIntrinsics(JSON.parse(text), intrinsicName);
    bench.engine.registerMachine({ name, definition });
  }
  /** One execution of a machine until it is over. */
  const execute = async (machine: string, input: object = {}): Promise<ExecutionDetail> => {
    const { executionArn } = await bench.engine.startExecution({ machine, input });
    return bench.until(executionArn);
  };
  /** One execution, as the schedule starts it now, until it is over. */
  const hour = async (): Promise<ExecutionDetail> => {
    cloud.followDatabase();
    return execute('backup', { scheduledTime: new Date(clock.now()).toISOString() });
  };
  return {
    ...bench,
    cloud,
    ports,
    hour,
    execute,
    /** Events reach the machine. */
    listen: () => {
      cloud.rds.onEvent = (_, id) => {
        for (const key of ['wakeBackup', 'wakeRestore'])
          void bound[key]?.({ detail: { SourceIdentifier: id } });
      };
    },
    invoke: async (key: keyof typeof handlers, event: unknown) => bound[key]?.(event),
    wake: async (event: unknown) => bound['wakeBackup']?.(event),
    /** Executions hour by hour until one ends otherwise than by waiting. */
    hours: async (most = 12): Promise<ExecutionDetail> => {
      for (let count = 1; ; count += 1) {
        const ended = await hour();
        const { outcome } = (ended.output ?? {}) as { outcome?: string };
        if (outcome !== 'waiting' || count >= most) return ended;
        await clock.advanceTo(Math.ceil((clock.now() + 1 - 600_000) / 3_600_000) * 3_600_000 + 600_000);
      }
    },
  };
}
