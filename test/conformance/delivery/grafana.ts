import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { goProgram } from './go-program.ts';
import type { Check } from './rule-tests.ts';

/** Files with the dashboards of ConfigMaps. */
function inTheCluster(folder: string): string[] {
  return globSync('infra/k8s/dashboards/epsilon-*.yaml')
    .sort()
    .flatMap((file) => {
      const { data } = parse(readFileSync(file, 'utf8')) as { data: Readonly<Record<string, string>> };
      return Object.entries(data).map(([name, text]) => {
        const path = join(folder, name);
        writeFileSync(path, text);
        return path;
      });
    });
}

/** Has Grafana's own definitions read every dashboard, and one with a word that Grafana does not know. */
export function checkDashboards(): Check[] {
  const grafana = goProgram('grafana');
  const faultsOf = (path: string) => {
    const { status, stdout, stderr } = spawnSync(grafana, [path], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : stderr;
  };
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-grafana-'));
  const files = [...globSync('infra/grafana/dashboards/*.json').sort(), ...inTheCluster(folder)];
  const wrong = join(folder, 'wrong.json');
  writeFileSync(wrong, readFileSync(files[0] ?? '', 'utf8').replaceAll('"expr"', '"expression"'));
  const name = 'a query that Grafana does not know is refused';
  return [
    ...files.map((file): Check => {
      const faults = faultsOf(file);
      const line = `${basename(file)} is as Grafana defines dashboards, graphs and queries`;
      return faults === '' ? { name: line } : { name: line, fault: faults };
    }),
    faultsOf(wrong).includes('expression') ? { name } : { name, fault: faultsOf(wrong) || 'it is taken' },
  ];
}
