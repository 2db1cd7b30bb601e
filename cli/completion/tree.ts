import type { Command } from 'commander';
import { environments } from '../../lib/config/environments.ts';
import { machines } from '../../lib/machines/catalogue.ts';
import { stageNames } from '../../lib/training/stages.ts';

/** One word that may come next, and what it is for. */
export interface Candidate {
  readonly word: string;
  readonly summary: string;
}

/** A verb, or a group of them, as a shell has to know it. */
export interface CompletionNode {
  /** Verbs that lead here, without the command's own name: `tenants add`. Empty for the command itself. */
  readonly path: string;
  readonly verbs: readonly Candidate[];
  readonly options: readonly Candidate[];
  /** What the first argument may be, where that is known. */
  readonly values: readonly string[];
}

/** The whole command, as a shell has to know it. */
export interface CompletionTree {
  readonly nodes: readonly CompletionNode[];
  /** Options that are followed by a value, with what it may be; `file` for a path, nothing for free text. */
  readonly valued: readonly { readonly flag: string; readonly values: readonly string[] | 'file' }[];
}

const machineKeys = machines.map(({ key }) => key);

/** Values of options and arguments that are known beforehand. */
const knownValues: Readonly<Record<string, readonly string[] | 'file'>> = {
  '--target': ['local', 'aws'],
  '--environment': environments.filter((each) => each !== 'local'),
  '--state-dir': 'file',
  '--documents': 'file',
  '--mocks': 'file',
  '--objects': 'file',
  '--stage': stageNames,
  '--status': ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'],
  '--backend': ['local', 'batch', 'eks'],
  '--schedule': ['on', 'off'],
  '--machine': machineKeys,
  machine: machineKeys,
  shell: ['bash', 'zsh', 'fish'],
};

function nodeOf(command: Command, path: string): CompletionNode {
  const [argument] = command.registeredArguments;
  const values = argument === undefined ? [] : knownValues[argument.name()];
  return {
    path,
    verbs: command.commands.map((one) => ({ word: one.name(), summary: one.summary() || one.description() })),
    options: [
      ...command.options.map(({ long, short, description }) => ({
        word: long ?? short ?? '',
        summary: description,
      })),
      { word: '--help', summary: 'display help for command' },
    ],
    values: values === undefined || values === 'file' ? [] : values,
  };
}

/** Everything that can be completed, from the command's own tree. */
export function completionTree(program: Command): CompletionTree {
  const nodes: CompletionNode[] = [];
  const valued = new Map<string, readonly string[] | 'file'>();
  const visit = (command: Command, path: string) => {
    nodes.push(nodeOf(command, path));
    for (const option of command.options) {
      if (option.isBoolean() || (!option.required && !option.optional)) continue;
      for (const flag of [option.long, option.short])
        if (flag != null && !valued.has(flag)) valued.set(flag, knownValues[flag] ?? []);
    }
    for (const one of command.commands) visit(one, path === '' ? one.name() : `${path} ${one.name()}`);
  };
  visit(program, '');
  return { nodes, valued: [...valued].map(([flag, values]) => ({ flag, values })) };
}
