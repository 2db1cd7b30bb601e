import { conclude, installPackage, works } from '../../debian.ts';
import { build } from '../../kubernetes/build.ts';
import { until } from '../processes.ts';
import type { Check } from '../rule-tests.ts';
import { buildController } from './build.ts';
import { Cluster, type RolloutState } from './cluster.ts';

/**
 * `npm run test:rollouts`: blue-green releases of backend-api, as infra/k8s/serving has them, judged by the real controller of Argo
 * Rollouts over the real API server, with a real Prometheus; pods are the stand-ins of serving/ as processes, the network is played.
 * Two bad revisions and a good one; a quarter of an hour.
 */
const good = { a: {}, d: {} };
const bad = {
  // Every fifth request fails from the first on; and one that fails only once it has served for a while.
  b: { FAIL_SHARE: '0.2' },
  c: { FAIL_SHARE: '0.2', FAIL_AFTER: '110' },
};
const seconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10;

/** What was looked at, and what is wrong with it. */
class Report {
  readonly checks: Check[] = [];

  holds(name: string, is: boolean, otherwise: unknown = ''): void {
    const fault = typeof otherwise === 'string' ? otherwise : JSON.stringify(otherwise);
    this.checks.push(is ? { name } : { name, fault: fault || 'it is not so' });
    process.stdout.write(`${is ? 'ok' : 'FAULT'} ${name}${is ? '' : `: ${fault}`}\n`);
  }
}

/** Waits until the controller has seen what was applied and the Rollout is as expected. */
async function reaches(
  cluster: Cluster,
  what: string,
  limit: number,
  is: (state: RolloutState) => boolean,
): Promise<RolloutState> {
  let last: RolloutState | undefined;
  return until(`${what}`, limit, async () => {
    last = await cluster.rollout();
    return last.generation === last.observed && is(last) ? last : undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${JSON.stringify(last)}; ${cluster.controllerSaid.slice(-500)}`);
  });
}

const healthyOn =
  (hash: string) =>
  ({ phase, active }: RolloutState) =>
    phase === 'Healthy' && active === hash;

/** Self-heal and a later sync apply the same again; then the release moves the ref back, and Argo CD applies the tree of before. */
async function staysBack(
  report: Report,
  cluster: Cluster,
  name: string,
  trees: { bad: string; before: string },
  hash: string,
) {
  for (const again of ['self-heal', 'a later sync']) {
    cluster.apply(trees.bad);
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    const { active, phase } = await cluster.rollout();
    report.holds(`${name} stays back through ${again}`, active === hash && phase === 'Degraded', {
      active,
      phase,
    });
  }
  const measured = (await cluster.measurements()).length;
  const begun = Date.now();
  cluster.apply(trees.before);
  await reaches(cluster, `${name}: the commit of before is healthy`, 60, healthyOn(hash));
  report.holds(`${name}: the git commit is healthy again after ${seconds(Date.now() - begun)} s`, true);
  report.holds(`${name}: the way back needs no analysis`, (await cluster.measurements()).length === measured);
}

async function refused(report: Report, cluster: Cluster, before: string, hash: string): Promise<void> {
  const tree = cluster.tree('b');
  const begun = Date.now();
  cluster.apply(tree);
  const aborted = await reaches(cluster, 'the bad revision is refused', 240, ({ abort }) => abort);
  report.holds(
    `a revision that fails in the preview is refused after ${seconds(Date.now() - begun)} s`,
    aborted.active === hash,
    aborted,
  );
  const named = (cluster.network.seen.get('backend-api') ?? []).flatMap(({ hashes }) => hashes);
  report.holds(
    'active EndpointSlices never named the refused revision',
    !named.includes(aborted.hash),
    named,
  );
  await staysBack(report, cluster, 'the refused revision', { bad: tree, before }, hash);
}

async function failsUnderTraffic(
  report: Report,
  cluster: Cluster,
  before: string,
  hash: string,
): Promise<void> {
  const tree = cluster.tree('c');
  const since = Date.now();
  cluster.apply(tree);
  const live = await reaches(
    cluster,
    'the second bad revision is live',
    240,
    ({ hash: now, active }) => now === active && active !== hash,
  );
  report.holds(`a revision that is well in the preview is live after ${seconds(Date.now() - since)} s`, true);
  await reaches(cluster, 'it is aborted', 300, ({ abort }) => abort);
  const seen = await until('the old colour alone', 60, async () => {
    const last = cluster.network.seen.get('backend-api')?.at(-1);
    return last?.hashes.join() === hash ? last : undefined;
  });
  const first = (await cluster.measurements()).find(
    ({ phase, finishedAt }) => phase === 'Failed' && Date.parse(finishedAt) > since,
  );
  const took = seconds(seen.at - Date.parse(first?.finishedAt ?? ''));
  report.holds(
    `a revision that fails under traffic: the old colour serves ${took} s after the first bad measurement (at most 120)`,
    took <= 120,
    first,
  );
  report.holds('the revision that failed was live', live.hash !== hash);
  await staysBack(report, cluster, 'the revision that failed under traffic', { bad: tree, before }, hash);
}

async function kept(report: Report, cluster: Cluster, before: string, hash: string): Promise<void> {
  const users = cluster.users();
  const [asked, failed] = [users.asked, users.failed];
  const begun = Date.now();
  cluster.apply(cluster.tree('d'));
  const live = await reaches(
    cluster,
    'the good revision is live',
    240,
    ({ hash: now, active }) => now === active && active !== hash,
  );
  report.holds(
    `a good revision is live after ${seconds(Date.now() - begun)} s (the release waits 300)`,
    Date.now() - begun < 300_000,
  );
  await reaches(cluster, 'the good revision is healthy', 480, healthyOn(live.hash));
  report.holds(
    `a good revision is healthy after ${seconds(Date.now() - begun)} s (the release watches 480 more)`,
    true,
  );
  report.holds(
    `of ${users.asked - asked} requests of users meanwhile ${users.failed - failed} failed`,
    users.failed === failed,
    users.failed - failed,
  );
  const measured = (await cluster.measurements()).length;
  const back = Date.now();
  cluster.apply(before);
  await reaches(cluster, 'the revision before is live again', 120, healthyOn(hash));
  report.holds(
    `the good revision is taken back in ${seconds(Date.now() - back)} s, within the window of two revisions, without analysis`,
    (await cluster.measurements()).length === measured,
  );
}

async function run(): Promise<Check[]> {
  const report = new Report();
  const cluster = await Cluster.start({ ...good, ...bad });
  try {
    const before = cluster.tree('a');
    cluster.apply(before);
    const { active: hash } = await reaches(
      cluster,
      'the first revision is healthy',
      120,
      ({ phase }) => phase === 'Healthy',
    );
    await until('three replicas', 90, async () => ((await cluster.replicas()) === 3 ? true : undefined));
    report.holds('the autoscaler has three replicas, which git does not name', true);
    await reaches(cluster, 'three replicas are healthy', 90, healthyOn(hash));
    cluster.users();
    await refused(report, cluster, before, hash);
    await failsUnderTraffic(report, cluster, before, hash);
    await kept(report, cluster, before, hash);
  } catch (error) {
    report.holds('the releases went as far as they should', false, (error as Error).message);
  } finally {
    await cluster.end();
  }
  return report.checks;
}

const missing =
  installPackage('etcd-server', () => works('etcd', '--version')) ??
  installPackage('prometheus', () => works('promtool', '--version')) ??
  build() ??
  buildController();
if (missing !== undefined) conclude(0, [], missing);
else {
  const checks = await run();
  conclude(
    checks.length,
    checks.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault}`])),
  );
}
