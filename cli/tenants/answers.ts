import { join, resolve } from 'node:path';
import { environmentVariables } from '../../lib/config/environment.ts';
import { referenceWorkload } from '../../lib/config/workloads.ts';
import { openSearch, openVectorSearch, type SearchAnswer } from '../../lib/operations/models/search.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { LiveModel } from '../../lib/training/models/model.ts';
import { embedQuestion } from '../../local/workloads/embed-question.ts';
import type { Session } from '../session.ts';
import { requireLocal } from '../target.ts';

/** Whose jobs trained a live model; runs of before workloads were named are the reference workload's. */
async function workloadOf(control: OperatorApi, { tenantId, modelVersion }: LiveModel): Promise<string> {
  const models = await control.models.list(tenantId);
  const runId = models.find((model) => model.modelVersion === modelVersion)?.runId;
  const run = runId === undefined ? undefined : await control.runs.getRun(runId);
  return run?.workload ?? referenceWorkload;
}

/**
 * The passages that answer a question best. A model of the reference workload is asked here, any other one by the query command of its
 * workload. Errors: `QUERY_UNKNOWN_WORDS`, those of `embedQuestion`, `TARGET_UNSUPPORTED`.
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
  const { stateDir } = requireLocal(
    session.target,
    `"epsilon query" of a model of workload "${workload}"`,
    'on AWS only models of the reference workload answer.',
  );
  const { dimensions, nearest } = await openVectorSearch(control.objects, live);
  const { projectDir } = session;
  const place = { projectDir, workloads: control.config.workloads, variables: environmentVariables() };
  const vector = await embedQuestion(place, {
    workload,
    tenantId: live.tenantId,
    modelPrefix: live.modelUri.replace(/[^/]+$/, ''),
    objectsRoot: join(resolve(stateDir), 'objects'),
    text,
    dimensions,
  });
  return nearest(text, vector, k);
}
