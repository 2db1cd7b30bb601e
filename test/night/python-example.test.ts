import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workloadsSchema } from '../../lib/config/workloads.ts';
import { openVectorSearch } from '../../lib/operations/models/search.ts';
import { openRuntime, type Runtime } from '../../local/runtime.ts';
import { embedQuestion } from '../../local/workloads/embed-question.ts';
import { withModelCopy } from '../../local/workloads/model-copy.ts';
import { aTenant } from '../fixtures/records.ts';
import { freshDir } from '../fresh-dir.ts';
import { documentsFolder } from '../workload/harness.ts';

const python = ['python3', '/usr/bin/python3'].find((file) => spawnSync(file, ['--version']).status === 0);
if (!python) process.stderr.write('SKIPPED: the example in Python (there is no python3 here)\n');

const command = [python ?? '', 'plain.py'];
const plain = {
  folder: 'examples/python',
  model: 'model.json',
  commands: { 'data-pipeline': command, 'ml-engine': command, deployer: command, query: command },
  modelTypes: { hashing: { epochs: 1, options: { dimensions: 256 } } },
};
const variables = { PATH: process.env['PATH'] ?? '', EPSILON_WORKLOADS: JSON.stringify({ plain }) };
const stateDir = freshDir();

describe.skipIf(!python)('the example workload in plain Python', () => {
  let runtime: Runtime;

  beforeAll(async () => {
    const projectDir = resolve('.');
    runtime = await openRuntime({ projectDir, stateDir, mode: 'write', variables, schedules: false });
    const tenant = aTenant({
      workload: 'plain',
      modelType: 'hashing',
      documentsUri: pathToFileURL(documentsFolder(12)).href,
      training: { options: { dimensions: 64 } },
    });
    await runtime.ports.tenants.put(tenant, 0);
  });

  afterAll(() => runtime.close());

  it('trains a tenant through all five stages, and its model answers by the query command', async () => {
    const { workflows, models } = runtime.control;
    const { executionArn } = await workflows.start({
      machine: 'tenant-model-training',
      name: 'acme-1',
      input: { tenantId: 'acme' },
    });
    while ((await workflows.describe(executionArn)).status === 'RUNNING')
      await new Promise((again) => setTimeout(again, 20));
    expect(await workflows.describe(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
    const live = await models.live('acme');
    expect(live?.modelUri).toMatch(/\/model\.json$/);
    if (!live) return;
    const { nearest, dimensions } = await openVectorSearch(runtime.control.objects, live);
    expect(dimensions).toBe(64);
    const ask = (text: string, over = {}) =>
      embedQuestion(
        { projectDir: resolve('.'), workloads: workloadsSchema.parse({ plain }), variables },
        {
          workload: 'plain',
          tenantId: 'acme',
          modelPrefix: live.modelUri.replace(/[^/]+$/, ''),
          objectsRoot: join(stateDir, 'objects'),
          text,
          dimensions,
          ...over,
        },
      );
    const question = 'who bakes bread';
    expect((await nearest(question, await ask(question), 1))[0]?.text).toContain('bakers knead dough');
    await expect(nearest('xyzzy', undefined, 1)).rejects.toThrow(
      expect.objectContaining({ code: 'QUERY_UNKNOWN_WORDS' }),
    );
    const elsewhere = await withModelCopy(
      runtime.control.objects,
      live.modelUri.replace(/[^/]+$/, ''),
      async (objectsRoot) => [objectsRoot, await ask(question, { objectsRoot })] as const,
    );
    expect(elsewhere[1]).toEqual(await ask(question));
    expect(existsSync(elsewhere[0])).toBe(false);
    await expect(ask('bread', { dimensions: 8 })).rejects.toThrow(
      expect.objectContaining({
        code: 'QUERY_COMMAND_FAILED',
        message: expect.stringContaining('64 dimensions'),
      }),
    );
    await expect(ask('bread', { modelPrefix: 's3://gone/' })).rejects.toThrow(
      expect.objectContaining({ code: 'QUERY_COMMAND_FAILED' }),
    );
  });

  it('declares a query command, without which nobody is asked', async () => {
    const { query: _, ...commands } = plain.commands;
    const workloads = workloadsSchema.parse({ plain: { ...plain, commands } });
    await expect(
      embedQuestion(
        { projectDir: resolve('.'), workloads, variables },
        { workload: 'plain', tenantId: 'acme', modelPrefix: '', objectsRoot: '', text: 'x', dimensions: 2 },
      ),
    ).rejects.toThrow(expect.objectContaining({ code: 'QUERY_NOT_DECLARED' }));
  });
});
