import { join, resolve } from 'node:path';
import { environmentVariables } from '../../lib/config/environment.ts';
import { referenceWorkload, type Workloads } from '../../lib/config/workloads.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { openSearch, openVectorSearch, type SearchAnswer } from '../../lib/operations/models/search.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { LiveModel } from '../../lib/training/models/model.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { embedQuestion } from '../../local/workloads/embed-question.ts';
import { withModelCopy } from '../../local/workloads/model-copy.ts';
import type { Session } from '../session.ts';

/** Whose jobs trained a live model; runs of before workloads were named are the reference workload's. */
async function workloadOf(control: OperatorApi, { tenantId, modelVersion }: LiveModel): Promise<string> {
  const models = await control.models.list(tenantId);
  const runId = models.find((model) => model.modelVersion === modelVersion)?.runId;
  const run = runId === undefined ? undefined : await control.runs.getRun(runId);
  return run?.workload ?? referenceWorkload;
}

/** The workloads that this host declares: programs are only there, whatever the control plane runs on. */
function workloadsHere({ target, projectDir }: Session, { config }: OperatorApi): Workloads {
  return target.kind === 'local'
    ? config.workloads
    : loadLocalService(projectDir, environmentVariables()).config.workloads;
}

function requireQueryCommand(workloads: Workloads, workload: string): void {
  if (workloads[workload]?.commands?.query) return;
  throw new EpsilonError(
    'QUERY_NOT_DECLARED',
    `Models of workload "${workload}" are asked by its query command on this host, which neither infra/config/local.yml nor EPSILON_WORKLOADS declares (docs/your-own-jobs.md).`,
  );
}

/**
 * The passages that answer a question best. A model of the reference workload is asked here, any other one by the query command of its
 * workload; on AWS over a copy of the model. Errors: `QUERY_UNKNOWN_WORDS`, `QUERY_NOT_DECLARED`, those of `embedQuestion`.
 */
export async function answersOf(
  session: Session,
  control: OperatorApi,
  live: LiveModel,
  question: { readonly text: string; readonly k: number },
): Promise<SearchAnswer[]> {
  const { text, k } = question;
  const workload = await workloadOf(control, live);
  if (workload === referenceWorkload) return (await openSearch(control.objects, live)).ask(text, k);
  const { dimensions, nearest } = await openVectorSearch(control.objects, live);
  const { projectDir, target } = session;
  const place = { projectDir, workloads: workloadsHere(session, control), variables: environmentVariables() };
  const modelPrefix = live.modelUri.replace(/[^/]+$/, '');
  const embed = (objectsRoot: string) =>
    embedQuestion(place, { workload, tenantId: live.tenantId, modelPrefix, objectsRoot, text, dimensions });
  if (target.kind === 'local')
    return nearest(text, await embed(join(resolve(target.stateDir), 'objects')), k);
  requireQueryCommand(place.workloads, workload);
  return nearest(text, await withModelCopy(control.objects, modelPrefix, embed), k);
}
