import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goProgram } from './go-program.ts';
import type { Check } from './rule-tests.ts';

/** Has Grafana's own definitions read every dashboard, and one with a word that Grafana does not know. */
export function checkDashboards(): Check[] {
  const grafana = goProgram('grafana');
  const faultsOf = (path: string) => {
    const { status, stdout, stderr } = spawnSync(grafana, [path], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : stderr;
  };
  const files = globSync('infra/grafana/dashboards/*.json').sort();
  const wrong = join(mkdtempSync(join(tmpdir(), 'epsilon-grafana-')), 'wrong.json');
  writeFileSync(wrong, readFileSync(files[0] ?? '', 'utf8').replaceAll('"expr"', '"expression"'));
  const name = 'a query that Grafana does not know is refused';
  return [
    ...files.map((file): Check => {
      const faults = faultsOf(file);
      const line = `${file} is as Grafana defines dashboards, graphs and queries`;
      return faults === '' ? { name: line } : { name: line, fault: faults };
    }),
    faultsOf(wrong).includes('expression') ? { name } : { name, fault: faultsOf(wrong) || 'it is taken' },
  ];
}
