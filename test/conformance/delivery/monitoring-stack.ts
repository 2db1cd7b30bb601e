import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { catalogue } from '../../../lib/monitoring/catalogue.ts';
import { type Check, checked, complaint, promtools } from './rule-tests.ts';

interface Values {
  readonly alertmanager: { readonly config: object };
  readonly prometheus: { readonly prometheusSpec: { readonly additionalScrapeConfigs: readonly object[] } };
}

/** What the cluster's chart is given, with facts of a cluster in their places. */
function values(): Values {
  const text = readFileSync('infra/argocd/addons/sets/kube-prometheus-stack.yml', 'utf8')
    .replaceAll(
      '\'{{index .metadata.annotations "epsilon/alerts-topic-arn"}}\'',
      'arn:aws:sns:us-west-2:1:alerts',
    )
    .replaceAll('\'{{index .metadata.annotations "epsilon/region"}}\'', 'us-west-2');
  return parse(text).spec.template.spec.source.helm.valuesObject as Values;
}

/** Whom an alert with these labels reaches. */
function routeOf(file: string, receiver: string, ...labels: readonly string[]): Check {
  const words = ['config', 'routes', 'test', `--config.file=${file}`, `--verify.receivers=${receiver}`];
  return checked(
    `Alertmanager sends ${labels.join(', ')} to ${receiver}`,
    complaint('amtool', ...words, ...labels),
  );
}

/** Has amtool read the configuration that Alertmanager has in the cluster and route alerts by it, and promtool what is scraped there. */
export function checkStack(): Check[] {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-stack-'));
  const { alertmanager, prometheus } = values();
  const [routes, scrapes] = [join(folder, 'alertmanager.yml'), join(folder, 'prometheus.yml')];
  writeFileSync(routes, stringify(alertmanager.config, { lineWidth: 0 }));
  const { additionalScrapeConfigs } = prometheus.prometheusSpec;
  writeFileSync(scrapes, stringify({ scrape_configs: additionalScrapeConfigs }, { lineWidth: 0 }));
  const inCluster = [catalogue.watcher, catalogue.serving].flatMap((alerts) =>
    Object.entries<{ readonly severity: string }>(alerts),
  );
  return [
    checked(
      'amtool reads the configuration of Alertmanager in the cluster',
      complaint('amtool', 'check-config', routes),
    ),
    ...inCluster.map(([name, { severity }]) =>
      routeOf(routes, 'people', `alertname=${name}`, `severity=${severity}`, 'namespace=production'),
    ),
    routeOf(routes, 'nobody', 'alertname=Watchdog', 'severity=none'),
    checked(
      'promtool reads what the cluster scrapes besides',
      complaint(promtools()['promtool 3'], 'check', 'config', scrapes),
    ),
  ];
}
