import { conclude, installPackage, works } from '../debian.ts';
import { dashboardsShow } from './dashboards.ts';
import { demoNight } from './demo-night.ts';
import { checkDashboards } from './grafana.ts';
import { checkScores, checkWeaknesses } from './linters.ts';
import { liveAlerts } from './live-alerts.ts';
import { checkManifests, checkWorkflows } from './manifests.ts';
import { checkStack } from './monitoring-stack.ts';
import { type Check, testRules } from './rule-tests.ts';
import { checkWindows } from './windows.ts';

/**
 * `npm run test:delivery`: rules of alerts under two majors of promtool, each fired and held silent; routes of the cluster under amtool; three
 * of them sent by a real Alertmanager; dashboards under Grafana's own definitions; traces of a night by a real collector; what
 * kustomize builds of every environment and of Argo CD under kubeconform, with the schemas that Kubernetes, Argo CD, Argo Rollouts, the
 * operator of Prometheus and external-secrets publish; the windows of the project judged by Argo CD's own rules; workflows under actionlint and
 * zizmor; pods under kube-score; a night under `epsilon start` that a real Prometheus scrapes, and every rule and every query of a dashboard
 * evaluated there.
 */
const missing =
  installPackage('prometheus', () => works('promtool', '--version')) ??
  installPackage('prometheus-alertmanager', () => works('amtool', '--version'));
if (missing !== undefined) conclude(0, [], missing);
else {
  const checks: Check[] = [
    ...testRules(),
    ...checkStack(),
    ...checkManifests(),
    ...checkWindows(),
    ...checkDashboards(),
    checkWorkflows(),
    checkWeaknesses(),
    ...checkScores(),
    ...(await liveAlerts()),
    ...(await demoNight(dashboardsShow)),
  ];
  for (const { name, fault } of checks)
    process.stdout.write(`${fault === undefined ? 'ok' : 'FAULT'} ${name}\n`);
  conclude(
    checks.length,
    checks.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault}`])),
  );
}
