import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { LocalMetrics } from '../../local/metrics.ts';
import { openLocalStores } from '../../local/stores/local-stores.ts';
import { anAttempt, aRun, aTenant } from '../fixtures/records.ts';

const tenants = 10_000;
const scrapes = 20;

/** Stores with a night under way: as many runs are open as may be at a time, the others have ended. */
async function openNight(stateDir: string, open: number) {
  const stores = openLocalStores({ stateDir });
  for (let n = 0; n < tenants; n += 1) {
    const tenantId = `tenant-${n}`;
    const runId = `${tenantId}-2026-11-24`;
    await stores.tenants.put(aTenant({ tenantId }), 0);
    await stores.runs.createRun(aRun({ runId, tenantId, status: n < open ? 'running' : 'succeeded' }));
    if (n < open) await stores.runs.createAttempt(anAttempt({ runId, tenantId, status: 'submitted' }));
  }
  return stores;
}

async function measure(open: number): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-scrape-'));
  const stores = await openNight(join(folder), open);
  const metrics = new LocalMetrics();
  const functions = [...loadLocalService('.', {}).service.functions.keys()];
  metrics.beginFunctions(functions);
  for (const name of functions) {
    metrics.duration('HandlerDuration', 20, { function: name });
    for (const error of ['Throttled', 'TenantBusy', 'StaleFence'])
      metrics.count('HandlerErrors', 1, { function: name, error });
  }
  try {
    const times: number[] = [];
    let text = '';
    const before = process.cpuUsage();
    for (let scrape = 0; scrape < scrapes; scrape += 1) {
      const since = performance.now();
      await metrics.readRecords(stores.runs, Date.now());
      text = await metrics.text();
      times.push(performance.now() - since);
    }
    const { user, system } = process.cpuUsage(before);
    times.sort((a, b) => a - b);
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    return {
      openRuns: open,
      series,
      bytes: text.length,
      processorMs: (user + system) / 1_000 / scrapes,
      medianMs: times[scrapes / 2],
      slowestMs: times.at(-1),
    };
  } finally {
    stores.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A scrape of `/metrics` while a night of 10,000 tenants is under way; beside it, one with nothing on record. */
export async function benchScrape(): Promise<Record<string, unknown>> {
  return {
    tenants,
    bounds: { series: 2_000, ms: 200 },
    nightUnderWay: await measure(1_000),
    idle: await measure(0),
  };
}
