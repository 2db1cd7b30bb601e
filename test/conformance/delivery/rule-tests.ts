import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { renderedFiles } from '../../../infra/prometheus/rendered.ts';
import type { Rule } from '../../../lib/monitoring/rules.ts';
import { type Fault, faults, span } from './faults.ts';
import { goProgram } from './go-program.ts';
import { goodNight, interval, type Series } from './series.ts';

/** One thing that was looked at, and what is wrong with it. */
export interface Check {
  readonly name: string;
  readonly fault?: string;
}

interface Groups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

/** Groups of a rule file, or of a `PrometheusRule`. */
function groupsOf(text: string): Groups | undefined {
  const parsed = parse(text) as { groups?: Groups['groups']; spec?: Partial<Groups> };
  const groups = parsed.groups ?? parsed.spec?.groups;
  return groups && { groups };
}

/** Every group of rules that the repository has. */
export const allGroups = (): Groups['groups'] =>
  renderedFiles().flatMap(({ path, text }) => (/\.ya?ml$/.test(path) ? (groupsOf(text)?.groups ?? []) : []));

/** Every rule that the repository has. */
export const allRules = (): Rule[] => allGroups().flatMap(({ rules }) => rules);

const inputs = (series: Series) =>
  Object.entries(series)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => ({ series: name, values: values.join(' ') }));

const expected = ({ labels, annotations }: Rule, own: Fault['labels'] = {}) => ({
  exp_labels: { ...labels, ...own },
  exp_annotations: annotations,
});

/** A good night of eight hours: every rule, every ten minutes, is silent. */
function silent(rules: readonly Rule[]) {
  const minutes = 480;
  return {
    interval: `${interval}s`,
    name: 'a good night',
    input_series: inputs(goodNight(minutes)),
    alert_rule_test: Array.from({ length: minutes / 10 }, (_, index) => `${index * 10}m`).flatMap((at) =>
      rules.map(({ alert }) => ({ eval_time: at, alertname: alert, exp_alerts: [] })),
    ),
  };
}

const fires = (rule: Rule, fault: Fault) => ({
  interval: `${interval}s`,
  name: rule.alert,
  input_series: inputs({ ...goodNight(span), ...fault.series }),
  alert_rule_test: [
    { eval_time: `${fault.at}m`, alertname: rule.alert, exp_alerts: [expected(rule, fault.labels)] },
  ],
});

/** promtool of Debian, and of the major that the cluster's chart deploys, which finds targets in Kubernetes alone; Debian's finds none there. */
export const promtools = () => ({
  'promtool 2': 'promtool',
  'promtool 3': goProgram(
    'promtool',
    '-tags',
    'remove_all_sd,enable_kubernetes_sd',
    'github.com/prometheus/prometheus/cmd/promtool',
  ),
});

/** What a program says when it fails. */
export function complaint(program: string, ...args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? undefined : `${stdout}${stderr}`.slice(0, 2_000);
}

export const checked = (name: string, fault: string | undefined): Check =>
  fault === undefined ? { name } : { name, fault };

/** Has each promtool read the rules, fire each on its fault, and hold all silent through a good night. */
export function testRules(): Check[] {
  return [
    ...Object.entries(promtools()).flatMap(([name, program]) => testRulesBy(name, program)),
    checked(
      'promtool reads the configuration beside epsilon start',
      complaint('promtool', 'check', 'config', 'infra/prometheus/prometheus.yml'),
    ),
  ];
}

function testRulesBy(tool: string, promtool: string): Check[] {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-rules-'));
  const rules = allRules();
  const file = join(folder, 'rules.yml');
  writeFileSync(file, stringify({ groups: allGroups() }, { lineWidth: 0 }));
  const run = (name: string, test: object): Check => {
    const path = join(folder, `${name.replaceAll(/\W/g, '-')}.yml`);
    writeFileSync(
      path,
      stringify({ rule_files: [file], evaluation_interval: `${interval}s`, tests: [test] }, { lineWidth: 0 }),
    );
    return checked(`${tool}: ${name}`, complaint(promtool, 'test', 'rules', path));
  };
  return [
    checked(`${tool} reads all rules`, complaint(promtool, 'check', 'rules', file)),
    run('a good night of eight hours fires nothing', silent(rules)),
    ...rules.flatMap((rule) => {
      const own = faults[rule.alert] ?? [];
      if (own.length === 0) return [{ name: rule.alert, fault: 'there is no fault that fires it' }];
      return own.map((fault, index) => run(`${rule.alert} fires (${index + 1})`, fires(rule, fault)));
    }),
  ];
}
