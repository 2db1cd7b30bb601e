import { beforeAll, describe, expect, it } from 'vitest';
import { explainedFindings } from './explained-findings.ts';
import { deployedEnvironments, type Packaged, packageService } from './packaging.ts';
import { checkCredentials } from './suites/credentials.ts';
import { checkDeployer } from './suites/deployer.ts';
import { checkEvents } from './suites/events.ts';
import { checkFunctions } from './suites/functions.ts';
import { checkMachines } from './suites/machines.ts';
import { explanationOf, inspect, type NagReport } from './suites/nag.ts';
import { checkRoles, unusedStars } from './suites/roles.ts';
import { checkStores } from './suites/stores.ts';
import { checkWatching } from './suites/watching.ts';
import { ofType } from './template.ts';

const packages = new Map<string, Packaged>();
const reports = new Map<string, NagReport>();
const starsUsed = new Set<string>();

// Once per environment, for every suite below: packaging is what takes the time.
beforeAll(async () => {
  for (const environment of deployedEnvironments)
    packages.set(environment, await packageService(environment));
}, 600_000);

describe.each(deployedEnvironments)('serverless package --stage %s, offline', (environment) => {
  const packaged = () => {
    const found = packages.get(environment);
    if (!found) throw new Error(`${environment} was not packaged`);
    return found;
  };

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
    const report = inspect(packaged());
    reports.set(environment, report);
    // A gate that inspected nothing has not passed: both packs have to speak, and of things that are here.
    expect([...report.conclusions.keys()]).toEqual(expect.arrayContaining(['AwsSolutions', 'Serverless']));
    expect(new Set(report.findings.map(({ pack }) => pack)).size).toBeGreaterThanOrEqual(2);
    for (const { resource } of report.findings)
      expect(packaged().template.Resources).toHaveProperty([resource]);
    expect(report.findings.filter((finding) => !explanationOf(finding))).toEqual([]);
  }, 60_000);
});

describe('explanations', () => {
  it('of roles without a resource are each needed', () => {
    expect(unusedStars(starsUsed)).toEqual([]);
  });

  it('of findings are each needed', () => {
    expect(reports.size).toBe(deployedEnvironments.length);
    const used = new Set([...reports.values()].flatMap(({ findings }) => findings.map(explanationOf)));
    expect(explainedFindings.filter((one) => !used.has(one)).map(({ rule }) => rule)).toEqual([]);
  });

  it('cover environments with and without Kubernetes', () => {
    const entries = [...packages.values()].map(
      ({ template }) => ofType(template, 'AWS::EKS::AccessEntry').length,
    );
    expect(Math.min(...entries)).toBe(0);
    expect(Math.max(...entries)).toBeGreaterThan(0);
  });
});
