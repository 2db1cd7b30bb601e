import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { evaluate, ofType, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { at, type SeenStatement, statementsOf } from '../../../infra/pulumi/policy/statements.ts';
import { ssmParameterName, ssmParameters } from '../../../lib/config/ssm-parameters.ts';
import { namesIn, tableRows } from '../../docs/tables.ts';
import { permits } from './iam.ts';

const account = '123456789012';
let prod: Registered[] = [];
let staging: Registered[] = [];

beforeAll(async () => {
  prod = await evaluate(settingsOf('prod'));
  staging = await evaluate(settingsOf('staging'));
}, 120_000);

const named = (resources: readonly Registered[], type: string, name: string) => {
  const found = ofType(resources, type).find((resource) => resource.name === name);
  if (!found) throw new Error(`there is no ${type} ${name}`);
  return found.inputs;
};
const role = (name: string, resources = prod) => named(resources, 'iam/role:Role', name);
const rights = (name: string): SeenStatement[] =>
  statementsOf(named(prod, 'iam/rolePolicy:RolePolicy', name)['policy']);
const subjects = (name: string, resources = prod) =>
  statementsOf(role(name, resources)['assumeRolePolicy']).map(({ conditions }) => {
    const { 'token.actions.githubusercontent.com:sub': subject, ...others } =
      conditions['StringEquals'] ?? {};
    expect(others).toEqual({ 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' });
    return subject;
  });
const may = (name: string, action: string, resource: string, facts = {}) =>
  permits(rights(name), { action, resource, facts });
const inPlace = (service: string, rest: string) => `arn:aws:${service}:us-west-2:${account}:${rest}`;

describe('roles of jobs of GitHub', () => {
  it('are taken by one repository, each in the GitHub environments that need it', () => {
    const of = (environment: string) => `repo:embeddings/saas:environment:${environment}`;
    expect(subjects('epsilon-prod-github-release')).toEqual([of('prod')]);
    expect(subjects('epsilon-staging-github-release', staging)).toEqual([of('staging')]);
    expect(subjects('epsilon-prod-github-control')).toEqual([of('staging'), of('prod')]);
    expect(subjects('epsilon-prod-github-preview')).toEqual([of('preview')]);
  });

  it('last as long as the workflow asks for', () => {
    const asked = [
      ...readFileSync('.github/workflows/deploy.yaml', 'utf8').matchAll(/role-duration-seconds: (\d+)/g),
      ...readFileSync('infra/release/control-profile.sh', 'utf8').matchAll(/duration_seconds = (\d+)/g),
    ].map(([, seconds]) => Number(seconds));
    expect(asked).toEqual([14_400, 14_400, 14_400]);
    for (const name of ['github-release', 'github-control'])
      expect(role(`epsilon-prod-${name}`)['maxSessionDuration']).toBe(14_400);
  });

  it('are in SSM under the names that the pages give for the variables of the workflows', () => {
    const used = new Set<string>();
    for (const name of readdirSync('.github/workflows'))
      for (const [, variable = ''] of readFileSync(`.github/workflows/${name}`, 'utf8').matchAll(
        /\bvars\.(\w+)/g,
      ))
        used.add(variable);
    const rows = tableRows('docs/deploy.md', 'Variables of the workflows');
    const listed = new Map(rows.map(([variables = '', , from = '']) => [namesIn(variables)[0] ?? '', from]));
    expect([...listed.keys()].sort()).toEqual([...used].sort());
    const written = new Set(ssmParameters.map(({ name }) => name));
    const fromInfrastructure = [...listed.values()]
      .flatMap(namesIn)
      .filter((name) => /^[a-z]+\/[a-z-]+$/.test(name));
    expect(fromInfrastructure.length).toBeGreaterThanOrEqual(4);
    for (const name of fromInfrastructure) expect(written, name).toContain(name);
  });

  it('hold what they do: a release pushes images, reads the key of its App, deploys, and no more', () => {
    const key = named(prod, 'secretsmanager/secret:Secret', 'epsilon-prod-release-app-key');
    expect(key['name']).toBe('epsilon/prod/release-app-key');
    expect(readFileSync('infra/release/app-token.sh', 'utf8')).toContain(
      'epsilon/$environment/release-app-key',
    );
    const release = 'epsilon-prod-github-release';
    const stack = inPlace('cloudformation', 'stack/epsilon-prod/1');
    expect(may(release, 'cloudformation:ExecuteChangeSet', stack)).toBe(true);
    expect(may(release, 'cloudformation:CancelUpdateStack', stack)).toBe(true);
    expect(may(release, 'cloudformation:DeleteStack', stack)).toBe(false);
    expect(may(release, 'cloudformation:DescribeStacks', inPlace('cloudformation', 'stack/other/1'))).toBe(
      false,
    );
    const passes = rights(release).filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passes).toMatchObject([
      {
        resources: [expect.stringMatching(/epsilon-prod-deploy$/)],
        conditions: { StringEquals: { 'iam:PassedToService': 'cloudformation.amazonaws.com' } },
      },
    ]);
    const actions = rights(release).flatMap((statement) => statement.actions);
    expect(actions.filter((action) => /^(iam|states|dynamodb):/.test(action))).toEqual(['iam:PassRole']);
  });

  it('hold what they do: a preview reads the state and nothing else', () => {
    const preview = rights('epsilon-prod-github-preview').flatMap(({ actions }) => actions);
    expect(preview.sort()).toEqual(['kms:Decrypt', 's3:GetObject', 's3:ListBucket']);
    const page = readFileSync('docs/provision.md', 'utf8');
    expect(page).toContain('--bucket epsilon-$E-state-$A');
    expect(
      may('epsilon-prod-github-preview', 's3:GetObject', `arn:aws:s3:::epsilon-prod-state-${account}/x`),
    ).toBe(true);
    expect(may('epsilon-prod-github-preview', 's3:GetObject', 'arn:aws:s3:::embeddings-saas-data/x')).toBe(
      false,
    );
  });

  it('hold what they do: control begins releases and no other machine, and writes no tenant', () => {
    const control = 'epsilon-prod-github-control';
    const table = inPlace('dynamodb', 'table/epsilon-prod');
    const on = (partition: string) => ({ 'dynamodb:LeadingKeys': [partition] });
    expect(
      may(control, 'states:StartExecution', inPlace('states', 'stateMachine:epsilon-prod-release:live')),
    ).toBe(true);
    expect(
      may(control, 'states:StartExecution', inPlace('states', 'stateMachine:epsilon-prod-nightly-training')),
    ).toBe(false);
    expect(may(control, 'dynamodb:PutItem', table, on('RELEASES'))).toBe(true);
    expect(may(control, 'dynamodb:GetItem', table, on('TENANT#canary'))).toBe(true);
    expect(may(control, 'dynamodb:PutItem', table, on('TENANT#canary'))).toBe(false);
    expect(may(control, 'dynamodb:GetItem', table, on('RUN#x'))).toBe(false);
  });
});

describe('the connector by which Argo CD is signed in to', () => {
  const data = (file: string) =>
    (parse(readFileSync(`infra/argocd/addons/argo-cd/${file}`, 'utf8')) as { data: Record<string, string> })
      .data;

  it('is known by the connector that the release asks for', () => {
    const { connectors } = parse(data('dex.yaml')['dex.config'] ?? '') as {
      connectors: { id: string; config: { issuer: string } }[];
    };
    const script = readFileSync('infra/release/argocd-token.sh', 'utf8');
    expect(connectors).toHaveLength(1);
    expect(script).toContain(`connector_id=${connectors[0]?.id}`);
    // Dex compares it with what the issuer calls itself, letter by letter.
    expect(connectors[0]?.config.issuer).toBe('https://token.actions.githubusercontent.com');
    expect(script).toContain('federated:id');
  });

  it("may look at the application of the job's environment and sync it, and nobody may anything else", () => {
    const { 'policy.csv': policy = '', 'policy.default': usual } = data('rbac.yaml');
    expect(usual).toBe('');
    const applications = { staging: 'embeddings-saas-staging', prod: 'embeddings-saas-production' };
    expect(policy.trim().split('\n')).toEqual(
      Object.entries(applications).flatMap(([environment, application]) =>
        ['get', 'sync'].map(
          (action) =>
            `p, repo:yourorg/embeddings-saas:environment:${environment}, applications, ${action}, embeddings-saas/${application}, allow`,
        ),
      ),
    );
  });

  it('does so at the host and for the repository of the settings', async () => {
    const values = (resources: readonly Registered[]) =>
      new Map(
        ofType(resources, 'ssm/parameter:Parameter').map(({ inputs }) => [
          inputs['name'],
          at(inputs, 'value.value'),
        ]),
      );
    const set = await evaluate({ ...settingsOf('prod'), argocdHost: 'argocd.internal.acme.com' });
    expect(values(set).get(ssmParameterName('prod', 'argocd/host'))).toBe('argocd.internal.acme.com');
    expect(values(prod).get(ssmParameterName('prod', 'argocd/host'))).toBe('argocd.invalid');
    expect(values(prod).get(ssmParameterName('prod', 'github/repository'))).toBe('embeddings/saas');
  });
});

describe('the role with which CloudFormation deploys', () => {
  const boundary = () => named(prod, 'iam/policy:Policy', 'epsilon-prod-service-boundary');

  it('fits into what IAM takes, and its boundary, too', () => {
    const size = (text: unknown) => String(text).replace(/\s/g, '').length;
    expect(
      size(named(prod, 'iam/rolePolicy:RolePolicy', 'epsilon-prod-deploy')['policy']),
    ).toBeLessThanOrEqual(10_240);
    expect(size(boundary()['policy'])).toBeLessThanOrEqual(6_144);
  });

  it('gives rights to roles of the service alone, and only with the boundary on them', () => {
    const own = `arn:aws:iam::${account}:role/epsilon/prod/epsilon-prod-BeginRunRole-1ABC`;
    const theirs = `arn:aws:iam::${account}:role/epsilon-prod-github-release`;
    const bounded = {
      'iam:PermissionsBoundary': `arn:aws:iam::${account}:policy/epsilon-prod-service-boundary`,
    };
    const facts = JSON.parse(JSON.stringify(bounded)) as Record<string, string>;
    const policies = rights('epsilon-prod-deploy');
    const arn = policies
      .map(({ conditions }) => conditions['StringEquals']?.['iam:PermissionsBoundary'])
      .find((one) => one !== undefined);
    expect(arn).toMatch(/epsilon-prod-service-boundary$/);
    facts['iam:PermissionsBoundary'] = String(arn);
    for (const action of ['iam:CreateRole', 'iam:PutRolePolicy', 'iam:PutRolePermissionsBoundary']) {
      expect(permits(policies, { action, resource: own, facts })).toBe(true);
      expect(permits(policies, { action, resource: own, facts: {} })).toBe(false);
      expect(permits(policies, { action, resource: theirs, facts })).toBe(false);
    }
    expect(may('epsilon-prod-deploy', 'iam:UpdateAssumeRolePolicy', theirs)).toBe(false);
    expect(may('epsilon-prod-deploy', 'iam:DeleteRolePermissionsBoundary', own)).toBe(false);
    expect(may('epsilon-prod-deploy', 'iam:AttachRolePolicy', own)).toBe(false);
    expect(
      may('epsilon-prod-deploy', 'iam:PassRole', theirs, { 'iam:PassedToService': 'lambda.amazonaws.com' }),
    ).toBe(false);
  });

  it('deletes neither the table nor a key', () => {
    const actions = rights('epsilon-prod-deploy').flatMap((statement) => statement.actions);
    expect(actions.filter((action) => /DeleteTable|ScheduleKeyDeletion|DisableKey/.test(action))).toEqual([]);
  });

  it("bounds roles of the service: no identity, no bucket but the data's, no secret but the environment's", () => {
    const within = (action: string, resource: string) =>
      permits(statementsOf(boundary()['policy']), { action, resource, facts: {} });
    expect(within('dynamodb:PutItem', inPlace('dynamodb', 'table/epsilon-prod'))).toBe(true);
    expect(within('dynamodb:PutItem', inPlace('dynamodb', 'table/epsilon-staging'))).toBe(false);
    expect(within('iam:CreateRole', `arn:aws:iam::${account}:role/x`)).toBe(false);
    expect(within('sts:AssumeRole', `arn:aws:iam::${account}:role/epsilon-administrator`)).toBe(false);
    expect(within('s3:GetObject', `arn:aws:s3:::epsilon-prod-state-${account}/x`)).toBe(false);
    expect(within('s3:DeleteBucket', 'arn:aws:s3:::embeddings-saas-data')).toBe(false);
    expect(
      within(
        'secretsmanager:GetSecretValue',
        inPlace('secretsmanager', 'secret:epsilon/prod/release-app-key-x'),
      ),
    ).toBe(false);
    expect(within('lambda:UpdateFunctionCode', inPlace('lambda', 'function:epsilon-prod-beginRun'))).toBe(
      false,
    );
  });
});
