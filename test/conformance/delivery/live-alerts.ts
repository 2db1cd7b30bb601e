import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../free-port.ts';
import { Beside, until } from './processes.ts';
import { Prometheus } from './prometheus.ts';
import { allRules, type Check } from './rule-tests.ts';

/** Alerts that are played to their end: what a host shows when they fire, and when all is well. */
const played: Readonly<Record<string, string>> = {
  BackupTooOld: 'epsilon_backup_age_seconds 2701\n',
  RunStuck: 'epsilon_oldest_run_seconds 72001\n',
  StateDiskFilling: 'epsilon_state_disk_free_bytes 1e9\n',
};
const well =
  'epsilon_backup_age_seconds 10\nepsilon_oldest_run_seconds 10\nepsilon_state_disk_free_bytes 5e10\n';

interface Notice {
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

const listening = (server: Server, port: number) =>
  new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

/** A host's `/metrics`, and what Alertmanager sends: both are played here, Prometheus and Alertmanager are real. */
class Stage {
  readonly heard = new Set<string>();
  shown = well;
  readonly exporter = createServer((_, response) => response.end(this.shown));
  readonly receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (text: Buffer) => {
      body += text;
    });
    request.on('end', () => {
      for (const { status, labels } of (JSON.parse(body) as Notice).alerts)
        this.heard.add(`${labels['alertname']} ${status}`);
      response.end();
    });
  });

  /** Whether every alert was heard of in this way. */
  async allHeard(status: 'firing' | 'resolved'): Promise<string | undefined> {
    const missing = () => Object.keys(played).filter((name) => !this.heard.has(`${name} ${status}`));
    return until(status, 60, async () => (missing().length === 0 ? true : undefined)).then(
      () => undefined,
      () => `not heard: ${missing().join(', ')}`,
    );
  }
}

async function alertmanager(port: number, receiver: number): Promise<Beside> {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-alertmanager-'));
  const file = join(folder, 'alertmanager.yml');
  const route = { receiver: 'people', group_by: ['alertname'], group_wait: '0s', group_interval: '1s' };
  const people = { name: 'people', webhook_configs: [{ url: `http://127.0.0.1:${receiver}/` }] };
  writeFileSync(file, stringify({ route, receivers: [people] }));
  const made = new Beside('prometheus-alertmanager', [
    `--config.file=${file}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ]);
  await until('Alertmanager', 30, async () =>
    (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok ? true : undefined,
  );
  return made;
}

/** Three alerts through a real Prometheus and a real Alertmanager to a receiver, firing and resolved. Only their `for` is a second. */
export async function liveAlerts(): Promise<Check[]> {
  const stage = new Stage();
  const [at, exporter, receiver] = [await freePort(), await freePort(), await freePort()];
  await listening(stage.exporter, exporter);
  await listening(stage.receiver, receiver);
  const manager = await alertmanager(at, receiver);
  const rules = allRules()
    .filter(({ alert }) => alert in played)
    .map((rule) => ({ ...rule, for: '1s' }));
  const prometheus = await Prometheus.start({
    groups: [{ name: 'live', rules }],
    targets: { epsilon: `127.0.0.1:${exporter}` },
    alertmanager: `127.0.0.1:${at}`,
  });
  try {
    stage.shown = Object.values(played).join('');
    const firing = await stage.allHeard('firing');
    stage.shown = well;
    const resolved = await stage.allHeard('resolved');
    return [
      { name: 'three alerts reach a receiver when they fire', ...(firing && { fault: firing }) },
      { name: 'three alerts reach a receiver when they are over', ...(resolved && { fault: resolved }) },
    ];
  } finally {
    await prometheus.end();
    await manager.end();
    stage.exporter.close();
    stage.receiver.close();
  }
}
