import { region } from '../../fixtures/aws-base.ts';
import { recordRequests } from '../../rights/scenarios.ts';
import { deployedEnvironments, packageServices } from '../../service/packaging.ts';
import { conclude } from '../debian.ts';
import { Evaluator, installEvaluator } from './evaluator.ts';
import { FunctionRoles, type Verdict } from './functions.ts';
import { installLinter, Linter } from './lint.ts';
import { ServiceRoles } from './services.ts';
import { JobRolesOf } from './tenants.ts';

/**
 * `npm run test:conformance:rights`: every request of every function, and requests that must be refused, against the roles
 * of the packaged template and of the Pulumi program, decided by somebody else's evaluator; and the template under cfn-lint.
 */

/** What the evaluator cannot know. */
const notProven = [
  'that AWS decides as the evaluator does',
  'that S3 answers 404 for a missing result where s3:ListBucket depends on s3:prefix: the request for an object names no prefix',
  'how ECS names the cluster of a compute environment: both ways that are known hold its name',
];

function install<T>(work: () => T): { readonly made?: T; readonly missing?: string } {
  try {
    return { made: work() };
  } catch (error) {
    return { missing: String((error as { stderr?: Buffer }).stderr ?? (error as Error).message).trim() };
  }
}

const tell = (what: string, { allowed, refused, faults }: Verdict) =>
  process.stdout.write(`${what}: ${allowed} allowed, ${refused} refused, ${faults.length} otherwise\n`);

async function judge(evaluator: Evaluator, linter: Linter | undefined): Promise<Verdict> {
  const recorded = await recordRequests();
  const all: Verdict = { allowed: 0, refused: 0, faults: [] };
  const add = (what: string, verdict: Verdict) => {
    tell(what, verdict);
    all.allowed += verdict.allowed;
    all.refused += verdict.refused;
    all.faults.push(...verdict.faults);
  };
  for (const packaged of await packageServices(
    deployedEnvironments.map((environment) => ({ environment })),
  )) {
    const { environment } = packaged;
    const functions = new FunctionRoles(evaluator, packaged, recorded);
    await functions.everyPath();
    await functions.everyProbe();
    await functions.othersRequests();
    add(`${environment}, functions`, functions.verdict);
    const services = new ServiceRoles(evaluator, packaged);
    await services.machines();
    await services.schedules();
    await services.rules();
    await services.places();
    await services.credentials();
    add(`${environment}, machines, schedules, rules and places`, services.verdict);
    const jobs = await JobRolesOf.open(environment, evaluator);
    await jobs.tenants();
    await jobs.attempt();
    await jobs.becoming();
    await jobs.watcher();
    add(`${environment}, jobs`, jobs.verdict);
    const lint = linter?.faults(packaged.templateFile, region) ?? [];
    if (linter)
      process.stdout.write(`${environment}, ${linter.label}: ${lint.length} findings that nobody explains\n`);
    all.faults.push(...lint);
  }
  all.faults.push(...(linter?.idle() ?? []));
  return all;
}

const evaluator = install(installEvaluator);
const linter = install(installLinter);
const missing = [
  evaluator.missing === undefined ? [] : [`the evaluator could not be installed: ${evaluator.missing}`],
  linter.missing === undefined ? [] : [`cfn-lint could not be installed: ${linter.missing}`],
].flat();
if (evaluator.made === undefined) conclude(0, [], missing.join('; '));
else {
  const opened = await Evaluator.open(evaluator.made);
  process.stdout.write(`decided by ${opened.label}\n`);
  const found = await judge(opened, linter.made === undefined ? undefined : new Linter(linter.made));
  for (const line of notProven) process.stdout.write(`not proven: ${line}\n`);
  const compared = found.allowed + found.refused + found.faults.length;
  conclude(compared, found.faults, missing.length > 0 ? missing.join('; ') : undefined);
}
