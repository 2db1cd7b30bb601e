import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import bundling from '../../infra/serverless/bundling.ts';
import { lazyBundleFile, lazyModules, writeLazyBundle } from '../../infra/serverless/lazy-bundle.ts';
import { checkParameters, parametersOf } from '../../infra/serverless/plugin/check-parameters.ts';
import { checkSettings } from '../../infra/serverless/plugin/check-settings.ts';
import { keepVersions } from '../../infra/serverless/plugin/keep-versions.ts';
import { ssmParameterName, ssmParameters } from '../../lib/config/ssm-parameters.ts';
import { freshDir } from '../fresh-dir.ts';
import { deployedEnvironments, serverless } from './packaging.ts';

const settingsOf = (environment: string) =>
  parse(readFileSync(`infra/config/${environment}.yml`, 'utf8')) as Record<string, unknown>;

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

/** A program that loads a module lazily, bundled as functions are: its code, and the files of which anything is in it. */
async function bundled(module: string): Promise<{ readonly code: string; readonly inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export const load = () => import('${module}');`, resolveDir: resolve('.') },
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    plugins: bundling,
    logLevel: 'error',
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  return {
    code: outputFiles.map(({ text }) => text).join(''),
    inputs: inputs.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  };
}

describe('settings', () => {
  it.each(deployedEnvironments)('of %s are complete', (environment) => {
    expect(checkSettings(environment, settingsOf(environment)).environment).toBe(environment);
  });

  it.each([
    ['a value that is missing', { reconcile: undefined }, 'infra/config/dev.yml: Setting "reconcile"'],
    ['a key that nobody knows', { trainng: {} }, 'Did you mean'],
    ['another environment', { environment: 'prod' }, '--stage is dev'],
    ['a value out of bounds', { reconcile: { shards: 0 } }, 'reconcile.shards'],
  ])('with %s are refused by file and key', (_, change, said) => {
    expect(() => checkSettings('dev', { ...settingsOf('dev'), ...change })).toThrow(said);
  });

  it('of the embedded runtime are not deployed', () => {
    expect(() => checkSettings('local', settingsOf('local'))).toThrow('"epsilon start"');
  });

  it.each([
    ['a misspelt key', 'config/dev.yml', 'quality:', 'qualty:', 'quality'],
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
    await expect(checkParameters(['/a', '/b', '/c'], reader(values), place)).resolves.toEqual(
      new Map(Object.entries(values)),
    );
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

describe('the lazy bundle', () => {
  it('has every name that the lazy modules export', async () => {
    const bundle = createRequire(import.meta.url)(await writeLazyBundle(freshDir())) as object;
    expect(lazyModules.length).toBeGreaterThanOrEqual(3);
    for (const file of lazyModules) {
      const names = Object.keys((await import(pathToFileURL(file).href)) as object);
      expect(names.length, file).toBeGreaterThan(0);
      for (const name of names) expect(bundle, `${name} of ${file}`).toHaveProperty(name);
    }
  });

  it('is what a function loads in place of the lazy modules', async () => {
    const { code, inputs } = await bundled('./lib/kubernetes/lazy/client-node.ts');
    expect(code).toContain(`import("../../${lazyBundleFile}")`);
    expect(inputs).toEqual(['<stdin>']);
  });
});

describe('a lazy module', () => {
  it('that stays in the bundle of a function brings less than its package whole', async () => {
    const whole = await bundled('@aws-sdk/client-kms');
    const named = await bundled('./lib/aws/lazy/kms.ts');
    // 223 kB beside 240 kB: no names of what is not taken, but every command's class; all of them go only where nothing is lazy.
    expect(named.code.length).toBeLessThan(whole.code.length - 10_000);
  });
});
