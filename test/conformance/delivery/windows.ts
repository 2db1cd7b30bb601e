import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { objectsOf } from '../../kubernetes/manifests.ts';
import { moduleFolder } from '../kubernetes/build.ts';
import { kustomized } from './kustomize.ts';
import type { Check } from './rule-tests.ts';
import { schemaModules } from './schemas.ts';

/** From which doc comment to which Argo CD's source is taken: the types, what is active, what an application matches, what may be synced. */
const parts = [
  ['// SyncWindows is a collection', '// AddWindow adds'],
  ['// Matches returns a list of sync windows', '// Active returns true if the sync window'],
  ['// Validate checks whether a sync window', 'func (w *SyncWindow) HashIdentity'],
] as const;

function cut(source: string, [from, to]: readonly [string, string]): string {
  const [begin, end] = [source.indexOf(from), source.indexOf(to)];
  if (begin < 0 || end < begin) throw new Error(`Argo CD's source has no "${from}" before "${to}"`);
  return source.slice(begin, end);
}

/** A Go file with Argo CD's rules of windows, whose clock is given. */
function rulesOf(argo: string): string {
  const source = readFileSync(join(argo, 'pkg/apis/application/v1alpha1/types.go'), 'utf8');
  const rules = parts.map((part) => cut(source, part)).join('\n');
  const imports = ['errors', 'fmt', 'time', 'github.com/robfig/cron/v3'].map((name) => `"${name}"`);
  return `package main\n\nimport (\n${imports.join('\n')}\n)\n\n${rules.replaceAll('time.Now()', 'now()')}`;
}

/** A module that requires what those rules do, of the versions that Argo CD has. */
function moduleOf(argo: string): string {
  const required = readFileSync(join(argo, 'go.mod'), 'utf8');
  const lines = ['github.com/robfig/cron/v3', 'github.com/gobwas/glob'].map((name) => {
    const [line] = new RegExp(`${name} v\\S+`).exec(required) ?? [];
    if (line === undefined) throw new Error(`Argo CD requires no ${name}`);
    return `require ${line}\n`;
  });
  return `module windows\n\ngo 1.25\n\n${lines.join('')}`;
}

interface Answer {
  readonly application: string;
  readonly at: string;
  readonly byItself: boolean;
  readonly byHand: boolean;
}

function askArgo(question: object): Answer[] {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-windows-'));
  try {
    const argo = moduleFolder(schemaModules.argoCd);
    cpSync(join(import.meta.dirname, 'windows/main.go'), join(folder, 'main.go'));
    writeFileSync(join(folder, 'windows.go'), rulesOf(argo));
    writeFileSync(join(folder, 'go.mod'), moduleOf(argo));
    const run = spawnSync('go', ['run', '-mod=mod', '.'], {
      cwd: folder,
      input: JSON.stringify(question),
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout) as Answer[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Built {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly syncWindows?: readonly object[]; readonly destination: object };
}

const clock = (at: string) => `2026-11-27T${at}:00Z`;
/** Moments before, in and after the hours in which tenants are trained, and whether production changes by itself then. */
const moments: Readonly<Record<string, boolean>> = {
  '00:59': true,
  // Not 01:00 itself: Argo CD's window begins with the moment after it.
  '01:01': false,
  '03:00': false,
  '07:59': false,
  '08:00': true,
  '20:00': true,
};

/**
 * Has Argo CD's own rules judge the windows of the project, as kustomize builds it: while tenants are trained production does not change by
 * itself, and a rollback, which is a sync that somebody asks for (infra/release/act.sh), goes through; staging is never closed.
 */
export function checkWindows(): Check[] {
  const built = ['production', 'staging'].flatMap(
    (environment) =>
      objectsOf(kustomized(`infra/argocd/applications/${environment}`).text) as unknown as Built[],
  );
  const windows = built.find(({ kind }) => kind === 'AppProject')?.spec.syncWindows;
  const applications = built
    .filter(({ kind }) => kind === 'Application')
    .map(({ metadata, spec }) => ({ name: metadata.name, spec: { destination: spec.destination } }));
  const answers = askArgo({ windows, applications, moments: Object.keys(moments).map(clock) });
  return answers.map(({ application, at, byItself, byHand }) => {
    const time = at.slice(11, 16);
    const open = application.endsWith('-staging') || moments[time] === true;
    const name = `at ${time} ${application} ${open ? 'changes by itself' : 'does not change by itself'}, and goes back when it is asked to`;
    const well = answers.length === 12 && byItself === open && byHand;
    return well ? { name } : { name, fault: JSON.stringify({ byItself, byHand, asked: answers.length }) };
  });
}
