import { shellWord } from '../launch/command-name.ts';
import type { Candidate, CompletionNode, CompletionTree } from './tree.ts';

/** A shell that commands can be completed in. */
export type Shell = 'bash' | 'zsh' | 'fish';

const words = (candidates: readonly Candidate[]) => candidates.map(({ word }) => word).join(' ');

const valuedFlags = ({ valued }: CompletionTree) => valued.map(({ flag }) => flag).join('|');

/** Branches of a `case` over the option before the cursor. */
function valueBranches({ valued }: CompletionTree, files: string): string {
  return valued
    .map(({ flag, values }) => {
      if (values === 'file') return `    ${flag}) ${files}; return ;;`;
      return `    ${flag}) words='${values.join(' ')}' ;;`;
    })
    .join('\n');
}

/** Branches of a `case` over the verbs so far. */
function nodeBranches({ nodes }: CompletionTree): string {
  return nodes
    .map(({ path, verbs, options, values }) => {
      const plain = verbs.length > 0 ? words(verbs) : values.join(' ');
      return `      '${path}') plain='${plain}' options='${words(options)}' ;;`;
    })
    .join('\n');
}

const knownPaths = ({ nodes }: CompletionTree) =>
  nodes
    .filter(({ path }) => path !== '')
    .map(({ path }) => `'${path}'`)
    .join('|');

/** Makes `epsilon` a command of the shell where it is none. */
const definition = (script: string) =>
  `if ! command -v epsilon >/dev/null 2>&1; then
  epsilon() { EPSILON_COMMAND=epsilon node ${shellWord(script)} "$@"; }
fi`;

/** What finds the verbs before the cursor; the same in bash and zsh, except for how words are counted. */
function pathLoop(
  tree: CompletionTree,
  { first, end, word }: Record<'first' | 'end' | 'word', string>,
): string {
  return `  for ((at = ${first}; at < ${end}; at++)); do
    word="${word}"
    if [[ $skip == 1 ]]; then skip=0; continue; fi
    case "$word" in
      ${valuedFlags(tree)}) skip=1 ;;
      -*) ;;
      *) case "\${path:+$path }$word" in ${knownPaths(tree)}) path="\${path:+$path }$word" ;; esac ;;
    esac
  done`;
}

/** Completes paths, which may have blanks. */
const bashFiles = `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur"))`;

function bash(tree: CompletionTree, script: string): string {
  return `${definition(script)}
_epsilon() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local path='' skip=0 at word plain='' options='' words=''
  COMPREPLY=()
${pathLoop(tree, { first: '1', end: 'COMP_CWORD', word: '${COMP_WORDS[at]}' })}
  if [[ $skip == 1 ]]; then
    case "$prev" in
${valueBranches(tree, bashFiles)}
    esac
  else
    case "$path" in
${nodeBranches(tree)}
    esac
    if [[ $cur == -* ]]; then words=$options; else words=$plain; fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _epsilon epsilon
`;
}

function zsh(tree: CompletionTree, script: string): string {
  return `#compdef epsilon
${definition(script)}
_epsilon() {
  local cur="\${words[CURRENT]}" prev="\${words[CURRENT-1]}"
  local path_so_far='' skip=0 at word plain='' options=''
  local -a candidates
${pathLoop(tree, { first: '2', end: 'CURRENT', word: '${words[at]}' }).replaceAll(/\bpath\b/g, 'path_so_far')}
  if [[ $skip == 1 ]]; then
    case "$prev" in
${valueBranches(tree, '_files').replaceAll("words='", "plain='")}
    esac
    candidates=(\${=plain})
  else
    case "$path_so_far" in
${nodeBranches(tree)}
    esac
    if [[ $cur == -* ]]; then candidates=(\${=options}); else candidates=(\${=plain}); fi
  fi
  compadd -- $candidates
}
if (( ! $+functions[compdef] )); then autoload -Uz compinit && compinit -D; fi
compdef _epsilon epsilon
`;
}

/** Text between single quotes, as fish takes it. */
const fishQuoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fishNode({ path, verbs, options, values }: CompletionNode): string[] {
  const here = `-n ${fishQuoted(`test (__epsilon_path) = '${path}'`)}`;
  return [
    ...verbs.map(({ word, summary }) => `complete -c epsilon ${here} -a ${word} -d ${fishQuoted(summary)}`),
    ...values.map((value) => `complete -c epsilon ${here} -a ${value}`),
    ...options.map(
      ({ word, summary }) =>
        `complete -c epsilon ${here} ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`} -d ${fishQuoted(summary)}`,
    ),
  ];
}

function fish(tree: CompletionTree, script: string): string {
  const { nodes, valued } = tree;
  const flags = valued.map(({ flag }) => flag).join(' ');
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [fishQuoted(path)])).join(' ');
  return `if not type -q epsilon
  function epsilon
    EPSILON_COMMAND=epsilon node ${shellWord(script)} $argv
  end
end
function __epsilon_path
  set -l path ''
  set -l skip 0
  for word in (commandline -opc)[2..]
    if test $skip = 1
      set skip 0
    else if contains -- $word ${flags}
      set skip 1
    else if not string match -q -- '-*' $word
      set -l longer (string trim -- "$path $word")
      contains -- $longer ${paths}; and set path $longer
    end
  end
  echo $path
end
complete -c epsilon -f
${nodes.flatMap(fishNode).join('\n')}
${valued
  .map(({ flag, values }) => {
    const option = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
    if (values === 'file') return `complete -c epsilon ${option} -r -F`;
    return `complete -c epsilon ${option} -x${values.length === 0 ? '' : ` -a ${fishQuoted(values.join(' '))}`}`;
  })
  .join('\n')}
`;
}

const writers: Readonly<Record<Shell, (tree: CompletionTree, script: string) => string>> = {
  bash,
  zsh,
  fish,
};

/** The shell a word names; undefined for none. */
export function shellOf(word: string): Shell | undefined {
  return (Object.keys(writers) as Shell[]).find((shell) => shell === word);
}

/** What a shell reads to complete the command; `script` is the path of the command's file. */
export function completionScript(shell: Shell, tree: CompletionTree, script: string): string {
  return writers[shell](tree, script);
}
