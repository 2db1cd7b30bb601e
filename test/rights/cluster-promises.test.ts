import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { tableRows } from '../docs/tables.ts';

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  }[];
}

const manifests = ['jobs/runner-access', 'watcher/access', 'capacity/capacity-access'].flatMap((name) =>
  parseAllDocuments(readFileSync(`infra/k8s/${name}.yaml`, 'utf8')).map(
    (document) => document.toJS() as Manifest,
  ),
);

/** What a group or a service account may do, each as `verb resource`, with `@namespace` where it is bound to one. */
function rightsOf(subject: string): string[] {
  const bindings = manifests.filter(({ subjects = [] }) =>
    subjects.some(({ name, namespace }) => subject === (namespace ? `${namespace}/${name}` : name)),
  );
  const rights = bindings.flatMap(({ roleRef, metadata }) => {
    const role = manifests.find(
      (one) =>
        one.kind === roleRef?.kind &&
        one.metadata.name === roleRef.name &&
        one.metadata.namespace === metadata.namespace,
    );
    return (role?.rules ?? []).flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => `${verb} ${resource}${metadata.namespace ? ` @${metadata.namespace}` : ''}`),
      ),
    );
  });
  return [...new Set(rights)].sort();
}

/** `get, list, patch Jobs; list pods in ml-jobs; list nodes` as rights. */
function rightsIn(text: string): string[] {
  const kinds: Readonly<Record<string, string>> = {
    Jobs: 'jobs @ml-jobs',
    pods: 'pods @ml-jobs',
    nodes: 'nodes',
    lease: 'leases @epsilon',
    autoscaler: 'horizontalpodautoscalers @production',
  };
  const rights = text.split('; ').flatMap((part) => {
    const words = part.replaceAll(/[`,]/g, '').split(' ');
    const named = words.filter((word) => kinds[word] !== undefined);
    const verbs = words.filter((word) => /^(get|list|watch|create|patch|update|delete)$/.test(word));
    return named.flatMap((word) => verbs.map((verb) => `${verb} ${kinds[word]}`));
  });
  return [...new Set(rights)].sort();
}

const rows = new Map(
  tableRows('docs/kubernetes.md', 'Who may do what').map(([who = '', how = '', may = '']) => [
    who,
    { how, may },
  ]),
);
const row = (who: string) => {
  const found = rows.get(who);
  if (!found) throw new Error(`docs/kubernetes.md has no row "${who}"`);
  return found;
};

describe('docs/kubernetes.md, who may do what', () => {
  it.each(['submitStage', 'settleRun, vacateInstance', 'decideCapacity, applyCapacity, expireCapacity'])(
    '%s: may what its group is bound to',
    (who) => {
      const group = /`(epsilon:[\w-]+)`/.exec(row(who).how)?.[1] ?? '';
      expect(rightsIn(row(who).may)).toEqual(rightsOf(group));
    },
  );

  it('reconcileJobs may what both other groups may', () => {
    const both = ['submitStage', 'settleRun, vacateInstance'].flatMap((who) => rightsIn(row(who).may));
    expect(row('reconcileJobs').may).toContain('all of the two above');
    expect(rightsOf('epsilon:job-reconcilers')).toEqual([...new Set(both)].sort());
  });

  it('the watcher may what its service account is bound to, and no lease but its own', () => {
    const { may, how } = row('job watcher in the cluster');
    expect(how).toContain('`epsilon/job-watcher`');
    expect(rightsIn(may)).toEqual(rightsOf('epsilon/job-watcher'));
    const leases = manifests.flatMap(({ rules = [] }) =>
      rules.filter(({ resources }) => resources.includes('leases')),
    );
    for (const { resourceNames } of leases) expect(resourceNames).toEqual(['job-watcher']);
  });

  it('names every function that has an access entry, in the group that the table names', () => {
    const functions = readYaml('infra/serverless/functions.yml') as Record<string, { cluster?: string }>;
    const entries = Object.entries(functions).flatMap(([key, { cluster }]) =>
      cluster === undefined ? [] : [[key, `epsilon:${cluster}`] as const],
    );
    expect(entries.length).toBeGreaterThan(3);
    for (const [key, group] of entries) {
      const [, found] = [...rows].find(([who]) => who.split(', ').includes(key)) ?? [];
      expect(found?.how, key).toContain(`\`${group}\``);
    }
  });

  it('nobody may delete a Job, read a secret or do anything by a star', () => {
    for (const { rules = [], metadata } of manifests)
      for (const { resources, verbs } of rules) {
        expect([...resources, ...verbs], metadata.name).not.toContain('*');
        expect(verbs, metadata.name).not.toContain('delete');
        expect(resources, metadata.name).not.toContain('secrets');
      }
  });
});
