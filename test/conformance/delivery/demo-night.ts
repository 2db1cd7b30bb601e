import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../free-port.ts';
import { Collector } from './collector.ts';
import { noDataHere } from './explained.ts';
import { Beside, until } from './processes.ts';
import { Prometheus, type RuleState } from './prometheus.ts';
import { allGroups, allRules, type Check } from './rule-tests.ts';
import { nightIsTraced } from './traces.ts';

const run = promisify(execFile);
const tenants = ['acme', 'beta'] as const;

/** A control plane that was started as its user does. */
class Host {
  readonly port: number;
  readonly #tracing: string;
  readonly #state = mkdtempSync(join(tmpdir(), 'epsilon-delivery-'));
  #process: Beside | undefined;

  constructor(port: number, tracing: object) {
    this.port = port;
    this.#tracing = JSON.stringify(tracing);
  }

  #args(...words: string[]): string[] {
    return [resolve('cli/epsilon.js'), '--state-dir', join(this.#state, 'state'), ...words];
  }

  async start(): Promise<void> {
    const words = this.#args('start', '--port', String(this.port));
    const process_ = new Beside(process.execPath, words, { EPSILON_TRACING: this.#tracing });
    this.#process = process_;
    await until(`epsilon start: ${process_.said}`, 60, async () =>
      (await fetch(`http://127.0.0.1:${this.port}/healthz`)).ok ? true : undefined,
    );
  }

  async epsilon(...words: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, this.#args(...words), { maxBuffer: 1e8 });
    return stdout;
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
  }

  async stop(): Promise<void> {
    await this.#process?.end();
  }
}

/** Names of the series that an expression reads. */
const seriesIn = (expression: string): string[] => [
  ...new Set([...expression.matchAll(/\b(?:epsilon_\w+|up)\b/g)].map(([name]) => name)),
];

/** Every expression is evaluated, and each series that it reads has data here, or a reason why not. */
export async function evaluated(
  prometheus: Prometheus,
  expressions: readonly (readonly [name: string, expression: string])[],
): Promise<Check[]> {
  return Promise.all(
    expressions.map(async ([name, expression]): Promise<Check> => {
      try {
        await prometheus.query(expression);
        const empty: string[] = [];
        for (const series of seriesIn(expression)) {
          const reason = noDataHere.find(([pattern]) => pattern.test(series));
          if (!reason && (await prometheus.query(series)).length === 0) empty.push(series);
        }
        return empty.length === 0 ? { name } : { name, fault: `no data: ${empty.join(', ')}` };
      } catch (error) {
        return { name, fault: (error as Error).message };
      }
    }),
  );
}

/** What a scrape shows besides the rules: no label that grows with tenants, and few series. */
function shown(text: string): Check[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const named = lines.filter((line) => tenants.some((tenant) => line.includes(tenant)));
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return [
    {
      name: "names and help follow Prometheus's conventions, by promtool",
      ...(status === 0 && stderr === '' ? {} : { fault: `${stdout}${stderr}` }),
    },
    {
      name: 'no label names a tenant',
      ...(named.length === 0 ? {} : { fault: named.join('\n') }),
    },
    {
      name: `a scrape after the night has ${lines.length} series (at most 2,000)`,
      ...(lines.length > 50 && lines.length <= 2_000 ? {} : { fault: String(lines.length) }),
    },
  ];
}

async function afterNight(host: Host, prometheus: Prometheus): Promise<Check[]> {
  const counted = await until('the night in Prometheus', 30, async () => {
    const [sample] = await prometheus.query('sum(epsilon_night_tenants_total{outcome="succeeded"})');
    return Number(sample?.value[1]) === tenants.length ? sample : undefined;
  }).then(
    () => ({}),
    (error: Error) => ({ fault: error.message }),
  );
  // The first pass of the reconciler; without one its silence would be an alert.
  await until('a pass of the reconciler', 120, async () =>
    Number((await prometheus.query('epsilon_reconciler_passes_total'))[0]?.value[1]) >= 1 ? true : undefined,
  );
  // A host that has just begun has no drill yet, and says so.
  const here = (name: string) => !/^JobWatcher|^DrillOverdue$|^Serving/.test(name);
  const isSilent = ({ name, state }: RuleState) => !here(name) || state === 'inactive';
  // The rules may have been evaluated last before that pass.
  const rules = await until('silence', 10, async () => {
    const states = await prometheus.rules();
    return states.every(isSilent) ? states : undefined;
  }).catch(() => prometheus.rules());
  return [
    { name: 'the night is counted in Prometheus as it was judged', ...counted },
    ...(await evaluated(
      prometheus,
      allRules().map(({ alert, expr }) => [`${alert} is evaluated`, expr]),
    )),
    ...rules.map((rule): Check => {
      const { name, state, health, lastError } = rule;
      const line = `${name} is silent in Prometheus after a good night`;
      return health === 'ok' && isSilent(rule)
        ? { name: line }
        : { name: line, fault: `${state}, ${health} ${lastError ?? ''}` };
    }),
    ...shown(await host.metrics()),
  ];
}

/** A night of two tenants under a running `epsilon start`, which a real Prometheus scrapes all the while, and which sends its traces to a real collector. */
export async function demoNight(more: (prometheus: Prometheus) => Promise<Check[]>): Promise<Check[]> {
  const collector = await Collector.start();
  const host = new Host(await freePort(), { mode: 'otlp', endpoint: collector.endpoint });
  await host.start();
  const prometheus = await Prometheus.start({
    groups: allGroups(),
    targets: { epsilon: `127.0.0.1:${host.port}` },
  });
  try {
    for (const tenant of tenants)
      await host.epsilon('tenants', 'add', tenant, '--documents', resolve('docs'));
    await host.epsilon('run', 'nightly-training', '--json');
    return [
      ...(await nightIsTraced(collector, tenants.length)),
      ...(await afterNight(host, prometheus)),
      ...(await more(prometheus)),
    ];
  } finally {
    await prometheus.end();
    await host.stop();
    await collector.end();
  }
}
