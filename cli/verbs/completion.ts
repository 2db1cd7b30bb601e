import { join } from 'node:path';
import type { Command } from 'commander';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { completionScript, shellOf } from '../completion/scripts.ts';
import { completionTree } from '../completion/tree.ts';
import type { Session } from '../session.ts';

async function complete(session: Session, word: string): Promise<void> {
  const shell = shellOf(word);
  if (!shell) throw new EpsilonError('USAGE', `There is no completion for "${word}" (bash, zsh, fish).`);
  const tree = completionTree(await session.wholeTree());
  session.output.write(completionScript(shell, tree, join(session.projectDir, 'cli', 'epsilon.js')));
}

/** `completion` */
export function addCompletion(program: Command, session: () => Session): void {
  program
    .command('completion')
    .description('print the completion script of this command for bash, zsh or fish')
    .argument('<shell>', 'bash, zsh or fish')
    .action((shell: string) => complete(session(), shell));
}
