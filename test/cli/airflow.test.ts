import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshDir } from '../fresh-dir.ts';
import { call } from './harness.ts';

afterEach(() => vi.unstubAllEnvs());

describe('epsilon airflow check', () => {
  const words = ['airflow', 'check', '--url', 'http://127.0.0.1:9'];

  it('a password is taken from the environment alone', async () => {
    vi.stubEnv('EPSILON_AIRFLOW_PASSWORD', undefined);
    const { code, err } = await call({}, words);
    expect(code).toBe(2);
    expect(err).toContain('EPSILON_AIRFLOW_PASSWORD');
  });

  it('an address, a version or a number that is none is refused', async () => {
    vi.stubEnv('EPSILON_AIRFLOW_PASSWORD', 'secret');
    for (const wrong of [
      ['airflow', 'check', '--url', 'ftp://here'],
      [...words, '--api', 'v3'],
      [...words, '--runs', '0'],
      ['airflow', 'check'],
    ])
      expect(await call({}, wrong)).toMatchObject({ code: 2, out: '' });
  });

  it('a server that does not answer is named, and the password is not', async () => {
    vi.stubEnv('EPSILON_AIRFLOW_PASSWORD', 'secret');
    const { code, err } = await call({}, words);
    expect(code).toBe(4);
    expect(err).toContain('http://127.0.0.1:9 does not answer');
    expect(err).not.toContain('secret');
  });
});

describe('epsilon airflow export', () => {
  it('the committed DAGs are those of the machines and the stage catalogue', async () => {
    const { code, err } = await call({}, ['airflow', 'export', '--check']);
    expect(err).toBe('');
    expect(code).toBe(0);
  });

  it('another folder gets everything that Airflow needs, and keeps its images', async () => {
    const folder = join(freshDir(), 'dags');
    expect((await call({}, ['airflow', 'export', '--out', folder])).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(
      readdirSync('infra/airflow/dags')
        .filter((name) => name !== '__pycache__')
        .sort(),
    );
    writeFileSync(join(folder, 'images.json'), '{"deployer":"mine"}');
    await call({}, ['airflow', 'export', '--out', folder]);
    expect(readFileSync(join(folder, 'images.json'), 'utf8')).toContain('mine');
    expect((await call({}, ['airflow', 'export', '--check', '--out', folder])).code).toBe(0);
  });

  it('images are those of the one file in which a release names digests, or a refusal that changes nothing', async () => {
    const [folder, projectDir] = [join(freshDir(), 'dags'), freshDir()];
    for (const part of [
      'infra/airflow/dags',
      'infra/config',
      'infra/k8s/serving',
      'infra/serverless',
      'functions',
      'events',
      'statemachines',
      'serverless.yml',
    ])
      cpSync(part, join(projectDir, part), { recursive: true });
    const words = ['airflow', 'export', '--out', folder, '--images', 'production'];
    const none = await call({ projectDir }, words);
    expect(none.code).toBe(2);
    expect(none.err).toContain('names no image "stage-data-pipeline"');
    expect(existsSync(folder)).toBe(false);
    const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
    const lines = [
      'backend-api',
      'ml-engine',
      'smoke',
      'stage-data-pipeline',
      'stage-ml-engine',
      'stage-deployer',
    ]
      .map((name, index) => `${name} registry.example/${name}@${digest('abcdef'.charAt(index))}`)
      .join('\n');
    const written = execFileSync(resolve('infra/release/write-images.sh'), ['production'], {
      input: `${lines}\n`,
    });
    writeFileSync(join(projectDir, 'infra/k8s/serving/production/images/kustomization.yaml'), written);
    expect((await call({ projectDir }, words)).code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'images.json'), 'utf8'))).toEqual({
      'data-pipeline': `registry.example/stage-data-pipeline@${digest('d')}`,
      'ml-engine': `registry.example/stage-ml-engine@${digest('e')}`,
      deployer: `registry.example/stage-deployer@${digest('f')}`,
    });
  });

  it('a DAG that was changed or is missing is reported by name, with exit code 3', async () => {
    const folder = freshDir();
    await call({}, ['airflow', 'export', '--out', folder]);
    writeFileSync(join(folder, 'data_quality_check.py'), '# mine');
    const ran = await call({}, ['--json', 'airflow', 'export', '--check', '--out', folder]);
    expect(ran.code).toBe(3);
    expect(JSON.parse(ran.err)).toMatchObject({
      error: {
        code: 'DAGS_DRIFTED',
        details: { drifted: [{ file: 'data_quality_check.py', state: 'differs' }] },
      },
    });
    const nowhere = await call({}, ['airflow', 'export', '--check', '--out', join(folder, 'nowhere')]);
    expect(nowhere.err).toContain('tenant_model_training.py is not there');
  });

  it('a folder that cannot be written is an error with a code', async () => {
    const file = join(freshDir(), 'file');
    writeFileSync(file, '');
    const { code, err } = await call({}, ['airflow', 'export', '--out', join(file, 'dags')]);
    expect(code).toBe(2);
    expect(err).toContain('OUTPUT_UNWRITABLE');
  });

  it('a deployed environment is refused, because files are written here', async () => {
    const { code } = await call({}, ['--target', 'aws', 'airflow', 'export']);
    expect(code).toBe(2);
  });
});
