import { beforeAll, describe, expect, it } from 'vitest';
import { explainedFindings } from './explained-findings.ts';
import { deployedEnvironments, type Packaged, packageServices } from './packaging.ts';
import { checkCredentials } from './suites/credentials.ts';
import { checkDeployer } from './suites/deployer.ts';
import { checkEvents } from './suites/events.ts';
import { checkFunctions } from './suites/functions.ts';
import { checkMachines } from './suites/machines.ts';
import { explanationOf, inspect, type NagReport } from './suites/nag.ts';
import { checkRoles, unusedStars } from './suites/roles.ts';
import { checkStandby, checkThere } from './suites/standby.ts';
import { checkStores } from './suites/stores.ts';
import { checkWatching } from './suites/watching.ts';
import { ofType } from './template.ts';

const packages = new Map<string, Packaged>();
const reports = new Map<string, NagReport>();
const starsUsed = new Set<string>();

/** The other region's, of the environment that has one. */
const places = ['standby', 'there'] as const;

// Once for every suite below: packaging is what takes the time.
beforeAll(async () => {
  const home = deployedEnvironments.map((environment) => ({ environment }));
  const made = await packageServices([
    ...home,
    ...places.map((place) => ({ environment: 'prod' as const, place })),
  ]);
  for (const [index, name] of [...deployedEnvironments, ...places].entries()) {
    const packaged = made[index];
    if (packaged) packages.set(name, packaged);
  }
}, 600_000);

function packagedAs(name: string): Packaged {
  const found = packages.get(name);
  if (!found) throw new Error(`${name} was not packaged`);
  return found;
}

/** What cdk-nag finds in a package and nobody has explained. */
function unexplained(name: string) {
  const report = inspect(packagedAs(name));
  reports.set(name, report);
  // A gate that inspected nothing has not passed: both packs have to speak, and of things that are here.
  expect([...report.conclusions.keys()]).toEqual(expect.arrayContaining(['AwsSolutions', 'Serverless']));
  expect(new Set(report.findings.map(({ pack }) => pack)).size).toBeGreaterThanOrEqual(2);
  for (const { resource } of report.findings)
    expect(packagedAs(name).template.Resources).toHaveProperty([resource]);
  return report.findings.filter((finding) => !explanationOf(finding));
}

describe.each(deployedEnvironments)('serverless package --stage %s, offline', (environment) => {
  const packaged = () => packagedAs(environment);

  describe('functions', () => checkFunctions(packaged));
  describe('roles', () => checkRoles(packaged, starsUsed));
  describe('events', () => checkEvents(packaged));
  describe('credentials', () => checkCredentials(packaged));
  describe('machines', () => checkMachines(packaged));
  describe('the deploying principal', () => checkDeployer(packaged));
  describe('stores', () => checkStores(packaged));
  describe('watching', () => checkWatching(packaged));

  it('the bundler warns of nothing', () => {
    expect(packaged().warnings).toEqual([]);
  });

  it('cdk-nag: AwsSolutions and Serverless find nothing that is not explained', () => {
    expect(unexplained(environment)).toEqual([]);
  }, 60_000);
});

describe('serverless package --stage prod --param place=standby, offline', () => {
  checkStandby(() => packagedAs('standby'));
});

describe('serverless package --stage prod --param place=there, offline', () => {
  checkThere(() => packagedAs('there'));
});

describe.each(places)('the other region, place=%s', (place) => {
  it('cdk-nag: AwsSolutions and Serverless find nothing that is not explained', () => {
    expect(unexplained(place)).toEqual([]);
  }, 60_000);
});

describe('explanations', () => {
  it('of roles without a resource are each needed', () => {
    expect(unusedStars(starsUsed)).toEqual([]);
  });

  it('of findings are each needed', () => {
    expect(reports.size).toBe(deployedEnvironments.length + places.length);
    const used = new Set([...reports.values()].flatMap(({ findings }) => findings.map(explanationOf)));
    expect(explainedFindings.filter((one) => !used.has(one)).map(({ rule }) => rule)).toEqual([]);
  });

  it('cover environments with and without Kubernetes', () => {
    const entries = deployedEnvironments.map(
      (name) => ofType(packagedAs(name).template, 'AWS::EKS::AccessEntry').length,
    );
    expect(Math.min(...entries)).toBe(0);
    expect(Math.max(...entries)).toBeGreaterThan(0);
  });
});
