import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { faultsOf } from '../../local/asl/definition/compile.ts';
import { intrinsicName, resolveIntrinsics } from '../../local/asl/definition/resolve-intrinsics.ts';
import { readMocks } from '../../local/asl/runner/mocks.ts';
import { runDefinition } from '../../local/asl/runner/run-definition.ts';
import { type Verdict, verifyRecordings } from '../../local/asl/runner/verify.ts';
import { historyLines } from '../executions/history-text.ts';
import { print } from '../print.ts';
import type { Session } from '../session.ts';
import { parseJsonInput } from '../start-input.ts';
import { requireLocal } from '../target.ts';

function readJson(file: string, code: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw new EpsilonError(code, `${file} cannot be read as JSON: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** Intrinsics of CloudFormation become the name they hold: enough to run a file on its own. */
function definitionIn(file: string): unknown {
  return resolveIntrinsics(readJson(file, 'ASL_UNREADABLE'), intrinsicName);
}

interface RunOptions {
  readonly input?: string;
  readonly mocks?: string;
  readonly machine?: string;
  readonly testCase?: string;
  readonly objects?: string;
}

async function run(session: Session, file: string, options: RunOptions): Promise<void> {
  requireLocal(session.target, '"epsilon asl"', 'it runs files and deploys nothing.');
  const mock =
    options.mocks === undefined
      ? undefined
      : readMocks(readJson(options.mocks, 'MOCKS_INVALID'), {
          ...(options.machine === undefined ? {} : { machine: options.machine }),
          ...(options.testCase === undefined ? {} : { testCase: options.testCase }),
        });
  const result = await runDefinition({
    definition: definitionIn(file),
    input: options.input === undefined ? {} : parseJsonInput(options.input),
    startAt: session.clock.now(),
    ...(mock ? { mock } : {}),
    ...(options.objects === undefined ? {} : { objects: options.objects }),
  });
  print(session.output, { ...result }, () =>
    [
      ...historyLines(result.history),
      '',
      result.status === 'SUCCEEDED'
        ? `SUCCEEDED ${JSON.stringify(result.output)}`
        : `${result.status} ${result.error ?? ''}: ${result.cause ?? ''}`,
    ].join('\n'),
  );
  if (result.status === 'SUCCEEDED') return;
  throw new EpsilonError(
    'RUN_FAILED',
    `${file} ended ${result.status}: ${result.error ?? ''}: ${result.cause ?? ''}`,
    { exitCode: exitCodes.runFailed },
  );
}

function validate(session: Session, file: string): void {
  requireLocal(session.target, '"epsilon asl"', 'it checks files and deploys nothing.');
  const faults = faultsOf(definitionIn(file));
  if (faults.length === 0) {
    print(session.output, { status: 'valid', faults }, () => `${file} is valid.`);
    return;
  }
  const list = faults.map((fault) => `${fault.code} ${fault.path || '(definition)'}: ${fault.message}`);
  throw new EpsilonError(
    faults.find((fault) => fault.code === 'ASL_INVALID')?.code ?? 'ASL_UNSUPPORTED',
    `${file}: ${list.length} faults\n  ${list.join('\n  ')}`,
    { details: { faults } },
  );
}

function lineOfVerdict(verdict: Verdict): string {
  if (verdict.verdict === 'same') return `same     ${verdict.name} (${verdict.events} events)`;
  if (verdict.verdict === 'refused')
    return `refused  ${verdict.name}\n         ${verdict.faults.join('\n         ')}`;
  const { event, recorded, here } = verdict.difference;
  return [
    `differs  ${verdict.name} at event ${event}`,
    `         recorded ${JSON.stringify(recorded ?? 'nothing')}`,
    `         here     ${JSON.stringify(here ?? 'nothing')}`,
  ].join('\n');
}

async function verify(session: Session, folder: string): Promise<void> {
  requireLocal(session.target, '"epsilon asl"', 'it runs files and deploys nothing.');
  const recordings = await verifyRecordings(folder, session.clock.now());
  const count = (verdict: Verdict['verdict']) => recordings.filter((each) => each.verdict === verdict).length;
  const counts = { same: count('same'), differs: count('differs'), refused: count('refused') };
  print(session.output, { ...counts, recordings }, () => recordings.map(lineOfVerdict).join('\n'));
  if (counts.same === recordings.length) return;
  throw new EpsilonError(
    'RECORDINGS_DIFFER',
    `${counts.same} of ${recordings.length} recordings come out the same; ${counts.differs} differ, ${counts.refused} are refused.`,
    { exitCode: exitCodes.runFailed },
  );
}

/** `asl run`, `asl validate` and `asl verify`. */
export function addAsl(program: Command, session: () => Session): void {
  const asl = program.command('asl').description('run or check any state machine file (JSONata dialect)');
  asl
    .command('run')
    .description('run a file under virtual time: waits take no time, Tasks answer from the mocks')
    .argument('<file>', 'definition as JSON')
    .option('--input <json>', 'input as JSON, or @file')
    .option('--mocks <file>', 'mocks in the format of Step Functions Local or of TestState')
    .option('--machine <name>', "the mocks' machine; default: the first")
    .option('--test-case <name>', "the mocks' test case; default: the first")
    .option('--objects <folder>', 'objects that Maps read and write, as <folder>/<bucket>/<key>')
    .action((file: string, options: RunOptions) => run(session(), file, options));
  asl
    .command('validate')
    .description('list all faults of a file')
    .argument('<file>')
    .action((file: string) => validate(session(), file));
  asl
    .command('verify')
    .description('run recorded executions again and compare their histories, event for event')
    .argument('<folder>', 'a recording (machine.asl.json, history.json, ...), or a folder of them')
    .action((folder: string) => verify(session(), folder));
}
