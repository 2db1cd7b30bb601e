import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { machineIds } from '../../../lib/config/logical-ids.ts';
import { findMachine, machines } from '../../../lib/machines/catalogue.ts';
import { loadLocalService } from '../../../local/declaration/local-service.ts';
import { readYaml } from '../../../local/declaration/read-yaml.ts';

const { service } = loadLocalService('.', {});
const declared = readYaml('infra/serverless/state-machines.yml') as Readonly<Record<string, { id: string }>>;

/** Keys of the machines that a definition starts, through their alias. */
function startedIn(definition: unknown): string[] {
  const named = [...JSON.stringify(definition).matchAll(/"StateMachineArn":\{"Ref":"(\w+)"\}/g)];
  return named.map(([, alias]) => {
    const found = Object.entries(declared).find(([, { id }]) => machineIds(id).liveAlias === alias);
    return found?.[0] ?? `nothing called ${alias}`;
  });
}

/** Everything that starts machines as it is declared, one line each. */
function declaredStarters(): string[] {
  const bySchedule = service.schedules.flatMap(({ name, target }) =>
    target.kind === 'machine' ? [`schedule ${name} starts ${target.key}`] : [],
  );
  const byRule = service.rules.flatMap(({ name, targets }) =>
    targets.flatMap(({ kind, key }) => (kind === 'machine' ? [`rule ${name} starts ${key}`] : [])),
  );
  const byMachine = service.machines.flatMap(({ key, definition }) =>
    startedIn(definition).map((started) => `machine ${key} starts ${started}`),
  );
  return [...bySchedule, ...byRule, ...byMachine].sort();
}

/** What commands of their own make, by the command. */
const startedBy: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  restore: { to: 'newest', trigger: 'manual' },
  'release start': {
    commit: 'c'.repeat(40),
    images: Object.fromEntries(
      ['backend-api', 'ml-engine', 'smoke'].map((name) => [name, `r/${name}@sha256:${'d'.repeat(64)}`]),
    ),
    canaryTenant: 'canary',
  },
};

describe('the catalogue of machines', () => {
  it('the catalogue has an entry for every machine of state-machines.yml and every file in statemachines/, and no other', () => {
    const keys = machines.map(({ key }) => key).sort();
    expect(keys.length).toBeGreaterThanOrEqual(2);
    expect(keys).toEqual(Object.keys(declared).sort());
    expect(keys).toEqual(
      readdirSync('statemachines')
        .map((file) => file.replace(/\.asl\.json$/, ''))
        .sort(),
    );
  });

  it('the catalogue says what starts each machine, as schedules, rules and definitions do', () => {
    const said = machines.flatMap(({ key, startedBy }) =>
      startedBy.flatMap((starter) =>
        Object.entries(starter).map(([kind, name]) => `${kind} ${String(name)} starts ${key}`),
      ),
    );
    expect(said.sort()).toEqual(declaredStarters());
  });

  it('the catalogue names a machine for one tenant only where that machine takes a tenant', () => {
    for (const { key, tenants } of machines) {
      if (tenants.tenant !== 'refused') continue;
      expect(findMachine(tenants.instead)?.tenants.tenant, key).toBe('required');
    }
  });

  it.each(machines.map((machine) => [machine.key, machine] as const))(
    '%s: takes what an operator starts it with, and no field that nobody reads',
    (_, { input, check, manual, tenants, summary, startedWith }) => {
      const given = startedWith
        ? (startedBy[startedWith] ?? {})
        : { ...manual, ...(tenants.tenant === 'required' ? { tenantId: 'acme' } : {}) };
      expect(input.strict().safeParse(given).success).toBe(true);
      expect(() => check(given, Date.parse('2026-11-24T12:00:00Z'))).not.toThrow();
      expect(input.strict().safeParse({ ...given, tenannt: 'acme' }).success).toBe(false);
      expect(summary).toMatch(/^[a-z].*[^.]$/);
    },
  );

  it('the catalogue finds no machine that is not in it', () => {
    expect(findMachine('nightly')).toBeUndefined();
  });
});
