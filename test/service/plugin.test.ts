import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { namesTaken } from '../../infra/serverless/bundling.ts';
import { laterNames, writeLoadedLater } from '../../infra/serverless/loaded-later.ts';
import { checkParameters, parametersOf } from '../../infra/serverless/plugin/check-parameters.ts';
import { checkSettings } from '../../infra/serverless/plugin/check-settings.ts';
import { keepVersions } from '../../infra/serverless/plugin/keep-versions.ts';
import { ssmParameterName, ssmParameters } from '../../lib/config/ssm-parameters.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { freshDir } from '../fresh-dir.ts';
import { deployedStages, serverless } from './packaging.ts';

const settingsOf = (stage: string) =>
  parse(readFileSync(`infra/config/${stage}.yml`, 'utf8')) as Record<string, unknown>;

/** This project with one file of infra changed; everything else is the project's own. */
function withChanged(changed: string, change: (text: string) => string): string {
  const folder = freshDir();
  for (const name of readdirSync('.')) {
    if (name === 'infra' || name.startsWith('.') || name === 'test') continue;
    if (name === 'serverless.yml') cpSync(name, join(folder, name));
    else symlinkSync(resolve(name), join(folder, name));
  }
  cpSync('infra', join(folder, 'infra'), { recursive: true });
  const file = join(folder, changed);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  return folder;
}

describe('settings', () => {
  it.each(deployedStages)('of %s are complete', (stage) => {
    expect(checkSettings(stage, settingsOf(stage)).environment).toBe(stage);
  });

  it.each([
    ['a value that is missing', { reconcile: undefined }, 'infra/config/dev.yml: Setting "reconcile"'],
    ['a key that nobody knows', { trainng: {} }, 'Did you mean'],
    ['another environment', { environment: 'prod' }, 'the stage is dev'],
    ['a value out of bounds', { reconcile: { shards: 0 } }, 'reconcile.shards'],
  ])('with %s are refused by file and key', (_, change, said) => {
    expect(() => checkSettings('dev', { ...settingsOf('dev'), ...change })).toThrow(said);
  });

  it('of the embedded runtime are not deployed', () => {
    expect(() => checkSettings('local', settingsOf('local'))).toThrow('"epsilon start"');
  });

  it.each([
    ['a misspelt key', 'config/dev.yml', 'quality:', 'qualty:', 'quality'],
    ['a missing value', 'config/dev.yml', /dataBucket: .*\n/, '', 'dataBucket'],
    [
      'a value out of bounds',
      'config/dev.yml',
      'leaseSeconds: 900',
      'leaseSeconds: 9',
      'training.leaseSeconds',
    ],
    ['rights of no function', 'serverless/roles/training.yml', 'finishRun:', 'finnishRun:', '"finnishRun"'],
  ])(
    'with %s stop serverless package with a sentence, before anything is built',
    async (_, file, from, to, named) => {
      const folder = withChanged(join('infra', file), (text) => {
        const changed = text.replace(from, to);
        expect(changed).not.toBe(text);
        return changed;
      });
      const failure = await serverless(
        ['package', '--stage', 'dev', '--package', join(folder, 'out')],
        folder,
      ).then(
        () => undefined,
        (error: Error) => error.message,
      );
      expect(failure).toContain(named);
      expect(failure).not.toMatch(/\n\s+at /);
      expect(readdirSync(folder)).not.toContain('out');
    },
    60_000,
  );
});

describe('parameters', () => {
  const place = { region: 'us-west-2', accountId: '123456789012' };
  const arn = (region: string, account: string) => `arn:aws:kms:${region}:${account}:key/1`;
  const reader = (values: Record<string, string>) => async () => new Map(Object.entries(values));

  it('are those that the template reads from SSM', () => {
    const read = { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/epsilon/dev/kms/key-arn' };
    expect(parametersOf({ Key: read, Other: { Type: 'String', Default: 'x' } })).toEqual([
      '/epsilon/dev/kms/key-arn',
    ]);
  });

  it('that are missing are all named in one sentence', async () => {
    await expect(checkParameters(['/a', '/b', '/c'], reader({ '/b': 'x' }), place)).rejects.toThrow(
      'SSM parameters are missing in us-west-2 of account 123456789012: /a, /c.',
    );
  });

  it.each([
    ['another account', arn('us-west-2', '999999999999'), 'account 999999999999'],
    ['another region', arn('eu-central-1', '123456789012'), 'region eu-central-1'],
  ])('of %s are refused', async (_, value, said) => {
    await expect(checkParameters(['/a'], reader({ '/a': value }), place)).rejects.toThrow(said);
  });

  it('that are there and belong here pass, with ARNs that have neither region nor account', async () => {
    const values = { '/a': arn('us-west-2', '123456789012'), '/b': 'arn:aws:s3:::bucket', '/c': 'name' };
    await expect(checkParameters(['/a', '/b', '/c'], reader(values), place)).resolves.toBeUndefined();
  });

  it('that the service reads are told in the guide, each with its meaning', () => {
    const guide = readFileSync('docs/deploy.md', 'utf8');
    const used = ssmParameters.filter(({ readBy }) => readBy.includes('serverless.yml'));
    expect(used.length).toBeGreaterThanOrEqual(11);
    for (const { name } of used)
      expect(guide, ssmParameterName('<environment>', name)).toContain(`\`${name}\``);
  });
});

describe('versions of functions', () => {
  it('are kept, whether they go or are replaced; other resources are left alone', () => {
    const resources = { V: { Type: 'AWS::Lambda::Version' }, F: { Type: 'AWS::Lambda::Function' } };
    keepVersions(resources);
    expect(resources).toEqual({
      V: { Type: 'AWS::Lambda::Version', DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' },
      F: { Type: 'AWS::Lambda::Function' },
    });
  });
});

describe('a client that is loaded when it is needed', () => {
  it('brings to each file of a bundle what that file takes of it', async () => {
    const folder = freshDir();
    const client = resolve('node_modules/@aws-sdk/client-kms');
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    for (const [file, name] of [
      ['one', 'KMSClient'],
      ['two', 'DecryptCommand, GenerateDataKeyCommand'],
    ] as const)
      writeFileSync(
        join(folder, `${file}.js`),
        `export const take = async () => { const { ${name} } = await import('@aws-sdk/client-kms'); return { ${name} }; };`,
      );
    const outfile = join(folder, 'bundle.cjs');
    await build({
      stdin: {
        contents: `export { take as one } from './one.js'; export { take as two } from './two.js';`,
        resolveDir: folder,
      },
      ...{ bundle: true, minify: true, format: 'cjs', platform: 'node', target: 'node24', outfile },
      plugins: [namesTaken],
    });
    const whole = createRequire(import.meta.url)(client) as Record<string, { name: string }>;
    const { one, two } = createRequire(import.meta.url)(outfile) as Record<string, () => Promise<object>>;
    expect(Object.keys((await one?.()) ?? {})).toEqual(['KMSClient']);
    const commands = (await two?.()) as Record<string, unknown>;
    for (const name of ['DecryptCommand', 'GenerateDataKeyCommand']) {
      expect(typeof whole[name], name).toBe('function');
      expect(typeof commands[name], name).toBe('function');
    }
  });
});

describe('what is loaded later, in its own file', () => {
  const source = (file: string) => readFileSync(file, 'utf8');

  it('has every name that is taken from its packages, and no other', async () => {
    const taken = new Map<string, Set<string>>();
    const take = (from: string, names: string) => {
      const mine = taken.get(from) ?? new Set();
      taken.set(from, mine);
      for (const name of names.split(',').map((one) => one.trim()))
        if (name !== '' && !name.startsWith('type ')) mine.add(name);
    };
    // Of our own, what stands in the functions' bundles; jobs have bundles of another kind.
    const { metafile } = await build({
      entryPoints: [...loadLocalService('.', {}).service.functions.values()].map(({ file }) => file),
      ...{ bundle: true, write: false, metafile: true, outdir: 'none', logLevel: 'error' },
      ...{ packages: 'external', platform: 'node', format: 'cjs' },
    });
    const files = Object.keys(metafile.inputs).filter((name) => name.startsWith('lib/'));
    expect(files.length).toBeGreaterThan(50);
    for (const text of files.map(source)) {
      for (const [, names = '', from = ''] of text.matchAll(/import \{([^}]+)\} from '(@[^']+)'/g))
        take(from, names);
      for (const [, names = '', from = ''] of text.matchAll(/\{([^{}]+)\}\]? = await import\('([^']+)'\)/g))
        take(from, names);
    }
    const [, signer = '', sts = ''] =
      /const \[\{([^}]+)\}, \{([^}]+)\}\]/.exec(source('lib/aws/eks/eks-cluster.ts')) ?? [];
    take('@smithy/signature-v4', signer);
    take('@aws-sdk/client-sts', sts);
    for (const [, name = ''] of source('lib/kubernetes/client.ts').matchAll(/\bclient\.([A-Za-z0-9]+)/g))
      take('@kubernetes/client-node', name);
    const packages = await writeLoadedLater(freshDir());
    const loaded = createRequire(import.meta.url)(packages) as Record<string, unknown>;
    for (const [from, names] of Object.entries(laterNames)) {
      for (const name of taken.get(from) ?? []) expect(names, `${name} of ${from}`).toContain(name);
      for (const name of names) {
        expect(taken.get(from)?.has(name), `${name} of ${from} is taken`).toBe(true);
        expect(loaded[name], name).toBeDefined();
      }
    }
  });
});
