import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { environments } from '../../../lib/config/environments.ts';
import { isNoSetting, loadConfig, settingPaths, variableOf } from '../../../lib/config/load-config.ts';

const fileOf = (environment: string): unknown =>
  parse(readFileSync(`infra/config/${environment}.yml`, 'utf8'));

/** A variable that adds a workload to those of the file. */
const withWorkload = (mine: unknown) => ({ variables: { EPSILON_WORKLOADS: JSON.stringify({ mine }) } });

describe('loadConfig', () => {
  it('knows every variable that the code or a document names', () => {
    const files = globSync(['{cli,functions,lib,local,workload}/**/*.ts', 'docs/**/*.md', 'README.md']);
    const named = new Set(
      files.flatMap((file) => readFileSync(file, 'utf8').match(/\bEPSILON_[A-Z]+(_[A-Z]+)*\b/g) ?? []),
    );
    expect(named.size).toBeGreaterThan(30);
    const settings = new Set(settingPaths().map(variableOf));
    expect([...named].filter((name) => !settings.has(name) && !isNoSetting(name))).toEqual([]);
  });

  it.each(environments)('accepts the file of %s', (environment) => {
    expect(loadConfig({ file: fileOf(environment), variables: {} }).environment).toBe(environment);
  });

  it('loadConfig takes the sections of this host in the file of local alone', () => {
    const backup = { everyMinutes: 4 };
    expect(
      loadConfig({ file: { ...(fileOf('local') as object), backup }, variables: {} }),
    ).not.toHaveProperty('backup');
    expect(() => loadConfig({ file: { ...(fileOf('dev') as object), backup }, variables: {} })).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNKNOWN_KEY' }),
    );
  });

  it('loadConfig prefers a flag to a variable, and a variable to the file', () => {
    const variables = { EPSILON_TRAINING_MAX_CONCURRENCY: '7', EPSILON_REGION: 'eu-west-1' };
    const flags = { region: 'eu-central-1' };
    const config = loadConfig({ file: fileOf('local'), variables, flags });
    expect(config).toMatchObject({
      region: 'eu-central-1',
      training: { maxConcurrency: 7, successTarget: 0.95 },
    });
  });

  it('loadConfig builds the whole configuration from variables alone, as a deployed function does', () => {
    const file = fileOf('prod') as Record<string, unknown>;
    const value = (path: string[]) =>
      path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], file);
    const variables = Object.fromEntries(
      settingPaths().map((path) => {
        const set = value(path);
        return [variableOf(path), typeof set === 'object' ? JSON.stringify(set) : String(set)];
      }),
    );
    expect(loadConfig({ variables })).toEqual(loadConfig({ file, variables: {} }));
  });

  it.each([
    [{ file: { regoin: 'x' } }, 'CONFIG_UNKNOWN_KEY', 'region'],
    [{ file: { training: { maxConcurency: 3 } } }, 'CONFIG_UNKNOWN_KEY', 'training.maxConcurrency'],
    [
      { variables: { EPSILON_TRAINING_MAX_CONCURENCY: '3' } },
      'CONFIG_UNKNOWN_KEY',
      'EPSILON_TRAINING_MAX_CONCURRENCY',
    ],
    [{ variables: { EPSILON_TRAINING_MAX_CONCURRENCY: '0' } }, 'CONFIG_INVALID', 'training.maxConcurrency'],
    [
      { variables: { EPSILON_TRAINING_MAX_CONCURRENCY: 'many' } },
      'CONFIG_INVALID',
      'EPSILON_TRAINING_MAX_CONCURRENCY',
    ],
    [{ variables: { EPSILON_WORKLOADS: '{' } }, 'CONFIG_INVALID', 'is not JSON'],
    [withWorkload({ modelTypes: {} }), 'CONFIG_INVALID', 'one model type'],
    [withWorkload({ modelTypes: { a1: { options: { maxTokens: 1 } } } }), 'CONFIG_INVALID', 'maxTokens'],
    [withWorkload({ modelTypes: { a1: {} } }), 'CONFIG_INVALID', 'workloads.mine.commands'],
    [withWorkload({ modelTypes: { a1: {} }, commands: { trainer: ['x'] } }), 'CONFIG_UNKNOWN_KEY', 'trainer'],
    [
      withWorkload({ modelTypes: { a1: {} }, environment: { EPSILON_SEED: '1' } }),
      'CONFIG_INVALID',
      'job contract',
    ],
    [{ file: 'text' }, 'CONFIG_PARSE', 'table of settings'],
  ])('loadConfig refuses %j with %s naming %s', (over, code, named) => {
    const base = fileOf('local') as Record<string, unknown>;
    const file =
      'file' in over && typeof over.file === 'object'
        ? { ...base, ...over.file }
        : 'file' in over
          ? over.file
          : base;
    expect(() => loadConfig({ file, variables: 'variables' in over ? over.variables : {} })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(named) }),
    );
  });

  it("loadConfig refuses several workloads on AWS unless each names its images: the newest would be anybody's", () => {
    const images = { 'data-pipeline': 'v1', 'ml-engine': `sha256:${'a'.repeat(64)}`, deployer: 'v1' };
    const mine = { modelTypes: { a1: {} }, images };
    const load = (workloads: object) =>
      loadConfig({ file: fileOf('dev'), variables: { EPSILON_WORKLOADS: JSON.stringify(workloads) } });
    expect(() => load({ mine })).toThrow('workloads.reference.images.data-pipeline');
    const words = Array.from({ length: 300 }, (_, index) => `w${index}`);
    const wide = { a1: { options: { word: { default: 'w1', oneOf: words } } } };
    expect(() => load({ mine: { ...mine, modelTypes: wide }, reference: { images } })).toThrow(
      'at most 1536',
    );
    expect(load({ mine, reference: { images } }).workloads['mine']?.images).toEqual(images);
  });

  it('loadConfig ignores the variables of the job contract', () => {
    expect(() =>
      loadConfig({ file: fileOf('local'), variables: { EPSILON_RUN_ID: 'x', EPSILON_STATE_DIR: 'y' } }),
    ).not.toThrow();
  });
});
