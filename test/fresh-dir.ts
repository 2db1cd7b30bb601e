import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** A fresh folder for one test's state; removed when its file is done. */
export function freshDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-test-'));
  made.push(folder);
  return folder;
}

/** Removes what `freshDir` made in this process. */
export function removeFreshDirs(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
