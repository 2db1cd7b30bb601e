import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { Attempt, Run } from '../run.ts';
import type { StageName } from '../stages.ts';
import type { ModelVersion } from './model.ts';
import { probesOf } from './regression.ts';

/** Names of the files that the stages leave below their output prefixes. */
export const artifactNames = { model: 'model.bin', index: 'index.faiss', manifest: 'manifest.json' } as const;

function succeeded(attempts: readonly Attempt[], run: Run, stage: StageName): Attempt {
  const found = attempts.find((attempt) => attempt.stage === stage && attempt.status === 'succeeded');
  if (found) return found;
  throw new EpsilonError(
    'STAGE_MISSING',
    `Run ${run.runId} cannot be promoted: its stage "${stage}" has not succeeded.`,
    {
      exitCode: exitCodes.conflict,
    },
  );
}

function count(attempt: Attempt, key: string): number {
  const value = attempt.result?.[key];
  return typeof value === 'number' ? value : 0;
}

/** The model a run produced, from its attempts; throws `STAGE_MISSING` or `CANDIDATE_REFUSED`. */
export function candidateOf(run: Run, attempts: readonly Attempt[], now: string): ModelVersion {
  const stage = (name: StageName) => succeeded(attempts, run, name);
  const [train, index, deploy] = [stage('train'), stage('index'), stage('deploy')];
  const selfRetrieval = count(deploy, 'selfRetrieval');
  if (count(index, 'vectors') === 0 || selfRetrieval <= 0) {
    throw new EpsilonError(
      'CANDIDATE_REFUSED',
      `The model of run ${run.runId} has no vectors or was not checked; the live model is kept.`,
      {
        exitCode: exitCodes.runFailed,
      },
    );
  }
  const probes = probesOf(deploy.result?.['probes']);
  return {
    tenantId: run.tenantId,
    modelVersion: run.modelVersion,
    runId: run.runId,
    logicalDate: run.logicalDate,
    modelUri: `${train.outputUri}${run.modelFile ?? artifactNames.model}`,
    indexUri: `${index.outputUri}${artifactNames.index}`,
    dataUri: stage('prepare').outputUri,
    cacheUri: stage('cache').outputUri,
    vectors: count(index, 'vectors'),
    dimensions: count(index, 'dimensions'),
    selfRetrieval,
    checksums: checksumsOf([train, index]),
    ...(probes ? { probes } : {}),
    createdAt: now,
  };
}

function checksumsOf(attempts: readonly Attempt[]): Record<string, string> {
  return Object.assign({}, ...attempts.map((attempt) => attempt.result?.['checksums'] ?? {})) as Record<
    string,
    string
  >;
}
