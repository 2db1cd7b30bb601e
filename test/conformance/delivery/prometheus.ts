import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../free-port.ts';
import { Beside, until } from './processes.ts';

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** How a rule is, as Prometheus says. */
export interface RuleState {
  readonly name: string;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly health: string;
  readonly lastError?: string;
}

/** A real Prometheus that scrapes every second. */
export class Prometheus {
  readonly #process: Beside;
  /** Where it answers. */
  readonly url: string;

  private constructor(process: Beside, url: string) {
    this.#process = process;
    this.url = url;
  }

  /** Starts one with these rules and targets by job; `alertmanager` is host and port. */
  static async start(options: {
    readonly groups: unknown;
    readonly targets: Readonly<Record<string, string>>;
    readonly alertmanager?: string;
    /** File with targets and their labels, which is read again when it changes. */
    readonly discovered?: string;
  }): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'epsilon-prometheus-'));
    writeFileSync(join(folder, 'rules.yml'), stringify({ groups: options.groups }, { lineWidth: 0 }));
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      ...(options.alertmanager && {
        alerting: { alertmanagers: [{ static_configs: [{ targets: [options.alertmanager] }] }] },
      }),
      scrape_configs: [
        ...Object.entries(options.targets).map(([job, target]) => ({
          job_name: job,
          static_configs: [{ targets: [target] }],
        })),
        ...(options.discovered === undefined
          ? []
          : [
              {
                job_name: 'pods',
                file_sd_configs: [{ files: [options.discovered], refresh_interval: '1s' }],
              },
            ]),
      ],
    };
    writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
    const port = await freePort();
    const process = new Beside('prometheus', [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const made = new Prometheus(process, `http://127.0.0.1:${port}`);
    await until(`Prometheus: ${process.said}`, 30, async () =>
      (await fetch(`${made.url}/-/ready`)).ok ? true : undefined,
    );
    return made;
  }

  async #get(path: string): Promise<unknown> {
    const answer = await fetch(`${this.url}${path}`);
    const body = (await answer.json()) as { status: string; error?: string; data: unknown };
    if (body.status !== 'success') throw new Error(body.error);
    return body.data;
  }

  /** What an expression gives now. Error: Prometheus's sentence. */
  async query(expression: string): Promise<Sample[]> {
    const data = (await this.#get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
      result: Sample[];
    };
    return data.result;
  }

  /** Every rule as it was last evaluated. */
  async rules(): Promise<RuleState[]> {
    const data = (await this.#get('/api/v1/rules')) as { groups: { rules: RuleState[] }[] };
    return data.groups.flatMap(({ rules }) => rules);
  }

  async end(): Promise<void> {
    await this.#process.end();
  }
}
