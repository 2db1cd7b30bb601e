import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Linter and version; newer ones bring new rules, which are then to be met or explained. */
const linter = 'cfn-lint==1.58.0';

/** Findings that stay, by rule and the logical ids it may be found on, with the reason. */
const explained: readonly { readonly rule: string; readonly on: RegExp; readonly reason: string }[] = [
  {
    rule: 'W3005',
    on: /^Resources\/\w+LambdaFunction\/DependsOn/,
    reason: 'Serverless writes a dependency that follows from the role anyway',
  },
];

interface Finding {
  readonly Rule: { readonly Id: string };
  readonly Level: string;
  readonly Message: string;
  readonly Location: { readonly Path?: readonly (string | number)[] };
}

/** Installs the linter into the cache of this project and gives its program. Throws what pip says when it cannot. */
export function installLinter(): string {
  const folder = resolve('node_modules/.cache/rights', linter);
  const program = join(folder, 'bin', 'cfn-lint');
  if (!existsSync(program)) {
    execFileSync('python3', ['-m', 'venv', folder]);
    execFileSync(join(folder, 'bin', 'pip'), ['install', '--quiet', linter], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return program;
}

/** Rules whose findings are explained. */
export class Linter {
  readonly #program: string;
  readonly #used = new Set<string>();
  readonly label = linter;

  constructor(program: string) {
    this.#program = program;
  }

  /** Findings in a template that nobody explains. */
  faults(templateFile: string, region: string): string[] {
    const flags = ['--format', 'json', '--regions', region, '--', templateFile];
    const run = spawnSync(this.#program, flags, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    if (run.error) throw run.error;
    // Bits of the exit code are kinds of findings; what it cannot read at all goes to stderr.
    if (!run.stdout.trim().startsWith('[')) throw new Error(`cfn-lint: ${run.stderr || run.stdout}`);
    return (JSON.parse(run.stdout) as Finding[]).flatMap(({ Rule: { Id: id }, Message, Location }) => {
      const on = (Location.Path ?? []).join('/');
      const excuse = explained.find((one) => one.rule === id && one.on.test(on));
      if (excuse) this.#used.add(excuse.rule);
      return excuse ? [] : [`cfn-lint ${id} at ${on}: ${Message}`];
    });
  }

  /** Explanations that nothing needs, which are faults too. */
  idle(): string[] {
    return explained
      .filter(({ rule }) => !this.#used.has(rule))
      .map(({ rule }) => `cfn-lint ${rule} is explained but not found`);
  }
}
