import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Declared, Resources, Statements } from '../../infra/serverless/plugin/declared.ts';
import { derive } from '../../infra/serverless/plugin/derive.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import type { Edit } from './edits.ts';
import { functionEdits } from './example-function.ts';
import { areaEdits, machineEdits } from './example-machine.ts';
import { portEdits } from './example-port.ts';
import { filled, readRecipes } from './recipe-text.ts';
import { checkTypes, edit, runTests, scratchCopy } from './scratch.ts';

const recipes = readRecipes();

/** What the examples put for the words in angle brackets. */
const words = {
  area: 'upkeep',
  machine: 'hourly-upkeep',
  function: 'keep-diary',
  event: 'aws-health-event',
  port: 'diary',
  service: 'sns',
};

/** The recipes that are followed, in this order, each with the example's edits. */
const followed: readonly (readonly [string, Readonly<Record<string, Edit>>])[] = [
  ['area', areaEdits],
  ['port', portEdits],
  ['function', functionEdits],
  ['machine', machineEdits],
];

const stepsOf = (name: string) => (recipes.get(name)?.steps ?? []).map((file) => filled(file, words));

/** A copy in which every recipe was followed, but for some files of which nothing was done. */
function follow(without: readonly string[] = []): string {
  const folder = scratchCopy();
  for (const [, edits] of followed)
    edit(folder, Object.fromEntries(Object.entries(edits).filter(([file]) => !without.includes(file))));
  return folder;
}

/** What a copy declares, read as people wrote it. */
function declaredIn(folder: string): Declared {
  const read = <T>(file: string) => readYaml(join(folder, file)) as T;
  const roles = readdirSync(join(folder, 'infra/serverless/roles')).map(
    (file) => read<Record<string, Statements> | null>(`infra/serverless/roles/${file}`) ?? {},
  );
  const resources = (file: string) => read<{ Resources: Resources }>(file).Resources;
  return {
    prefix: 'epsilon-made',
    environment: 'made',
    successTarget: 0.95,
    functions: read('infra/serverless/functions.yml'),
    machines: read('infra/serverless/state-machines.yml'),
    statements: Object.assign({}, ...roles),
    resources: { ...resources('events/rules.yml'), ...resources('events/schedules.yml') },
  };
}

/** Keys of the machines that a copy's catalogue knows. */
async function catalogued(folder: string): Promise<string[]> {
  const file = pathToFileURL(join(folder, 'lib/machines/catalogue.ts')).href;
  const { machines } = (await import(file)) as { machines: readonly { readonly key: string }[] };
  return machines.map(({ key }) => key);
}

describe('a recipe of CONTRIBUTING.md', () => {
  it('exists for a machine, a function, a port, an area and a stage', () => {
    expect([...recipes.keys()].sort()).toEqual(['area', 'function', 'machine', 'port', 'stage']);
    for (const [name, { steps, conditional }] of recipes) {
      expect(steps.length, name).toBeGreaterThanOrEqual(5);
      for (const file of [...steps, ...conditional]) expect(file, name).toMatch(/^[\w.<>/-]+$/);
    }
  });

  it.each([...recipes])('for %s: names only places that are there, but for what it adds', (_, recipe) => {
    for (const file of [...recipe.steps, ...recipe.conditional])
      if (!file.includes('<')) expect(existsSync(file), file).toBe(true);
  });

  it.each(followed)('for %s: names exactly the files that its example touches', (name, edits) => {
    expect(stepsOf(name)).toEqual(expect.arrayContaining(Object.keys(edits)));
    expect(Object.keys(edits)).toEqual(expect.arrayContaining(stepsOf(name)));
  });

  it('for a machine, a function and a port: 23 places in all, as the page says', () => {
    const places = ['machine', 'function', 'port'].flatMap(stepsOf);
    expect(places).toHaveLength(23);
  });
});

describe('a copy of the project that followed the recipes', () => {
  let folder: string;
  const changed = followed.flatMap(([, edits]) => Object.keys(edits));

  beforeAll(() => {
    folder = follow();
  });

  it('is read by the embedded runtime: function, machine, schedule and rule', () => {
    const { service } = loadLocalService(folder, {});
    expect(service.functions.get('keepDiary')?.file).toBe(join(folder, 'functions/upkeep/keep-diary.ts'));
    expect(service.machines.map(({ key }) => key)).toContain('hourly-upkeep');
    expect(service.schedules.find(({ name }) => name === 'hourly-upkeep')?.target).toEqual({
      kind: 'machine',
      key: 'hourly-upkeep',
    });
    expect(service.rules.flatMap(({ targets }) => targets.map(({ key }) => key))).toContain('keepDiary');
  });

  it('has logs, roles, rights, an alias and alarms of its function and machine on AWS', () => {
    const { resources } = derive(declaredIn(folder));
    for (const id of [
      ...['KeepDiaryLogGroup', 'KeepDiaryRole', 'HealthEventPermission', 'HourlyUpkeepLogGroup'],
      ...['HourlyUpkeepRole', 'HourlyUpkeepVersion', 'HourlyUpkeepLiveAlias', 'HourlyUpkeepFailedAlarm'],
    ])
      expect(resources, id).toHaveProperty([id]);
    expect(JSON.stringify(resources['SchedulerRole'])).toContain('"Ref":"HourlyUpkeep"');
    expect(JSON.stringify(resources['FailedInvocationsPolicy'])).toContain('KeepDiaryRole');
    expect(JSON.stringify(resources['ControlPlaneDashboard'])).toContain('keepDiary');
  });

  // Two programs that take seconds: side by side.
  it.concurrent('has sound types', async () => {
    await checkTypes(
      folder,
      changed.filter((file) => file.endsWith('.ts')),
    );
  }, 120_000);

  it.concurrent('passes its new tests, and those that hold machines, samples and declarations together', async () => {
    const own = changed.filter((file) => file.endsWith('.test.ts'));
    expect(own).toHaveLength(4);
    const holding = ['test/lib/machines', 'test/events', 'test/statemachines/validator.test.ts'];
    expect(await runTests(folder, [...own, ...holding])).toBeGreaterThan(40);
  }, 120_000);
});

describe('a recipe that was not followed to the end', () => {
  it.each([
    ['functions/upkeep/keep-diary.ts', 'functions/upkeep/keep-diary.handler'],
    ['infra/serverless/functions.yml', 'keepDiary'],
    ['statemachines/hourly-upkeep.asl.json', 'hourly-upkeep'],
    ['infra/serverless/state-machines.yml', 'schedule'],
  ])('is refused by the embedded runtime: without %s', (file, said) => {
    const folder = follow([file]);
    let message = '';
    try {
      loadLocalService(folder, {});
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(said);
  });

  it('is refused when it is packaged: without roles', () => {
    const folder = follow(['infra/serverless/roles/upkeep.yml']);
    edit(folder, { 'infra/serverless/roles/upkeep.yml': () => '# Nothing yet.\n' });
    expect(() => derive(declaredIn(folder))).toThrow('"keepDiary"');
  });

  it('is noticed in the catalogue: without lib/upkeep/machines.ts', async () => {
    const folder = follow(['lib/upkeep/machines.ts']);
    edit(folder, { 'lib/upkeep/machines.ts': () => 'export const upkeepMachines = [];\n' });
    expect(await catalogued(folder)).not.toContain('hourly-upkeep');
    await expect(runTests(folder, ['test/lib/machines'])).rejects.toThrow('hourly-upkeep');
  }, 60_000);
});
