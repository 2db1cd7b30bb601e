import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { passingNights, sizeOf } from '../local/backup/nights.ts';

const nights = 100;

/**
 * Disk use while nights pass: five tenants, 40 kB an object, a backup before and after each night, a pruning after it. Beside it, what
 * there would be without pruning: as many bytes each night as the first one left.
 */
export async function benchRetention(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-retention-'));
  const state = passingNights(
    folder,
    ['a1', 'b2', 'c3', 'd4', 'e5'].map((name) => `tenant-${name}`),
    40_000,
  );
  try {
    await state.begin();
    const sizes: {
      readonly night: number;
      readonly state: number;
      readonly backups: number;
      readonly files: number;
    }[] = [];
    let pruneMs = 0;
    for (let night = 1; night <= nights; night += 1) {
      await state.night();
      const since = performance.now();
      await state.backups.prune({ dryRun: false });
      pruneMs = Math.max(pruneMs, performance.now() - since);
      const [own, kept] = [sizeOf(state.path), sizeOf(state.folder)];
      sizes.push({ night, state: own.bytes, backups: kept.bytes, files: own.files + kept.files });
    }
    const at = (night: number) => sizes[night - 1];
    const [fifty, hundred] = [at(50), at(100)];
    return {
      nights,
      shown: [1, 10, 20, 30, 50, 75, 100].map(at),
      stateGrowthFrom50To100: (hundred?.state ?? 0) / (fifty?.state ?? 1),
      backupsGrowthFrom50To100: (hundred?.backups ?? 0) / (fifty?.backups ?? 1),
      longestPruneMs: pruneMs,
      withoutPruning: { state: (at(1)?.state ?? 0) * nights },
    };
  } finally {
    await state.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
