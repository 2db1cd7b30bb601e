import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { PassageFiles } from '../../lib/operations/models/passage-files.ts';
import { requireLive } from '../../lib/operations/models/promote-model.ts';
import { openSearch, type Search } from '../../lib/operations/models/search.ts';
import type { LiveModel } from '../../lib/training/models/model.ts';
import type { Answer, Route } from '../server.ts';
import type { ServedModels } from './served-models.ts';

/** Tenants whose model is kept decoded. */
const mostOpen = 16;
/** Answers to one question. */
const mostAnswers = 100;

function required(asked: URLSearchParams, name: string): string {
  const value = asked.get(name);
  if (value) return value;
  throw new EpsilonError('PARAMETER_MISSING', `The request names no ${name}.`);
}

function numberOfAnswers(asked: URLSearchParams): number {
  const k = Number(asked.get('k') ?? 3);
  if (Number.isInteger(k) && k >= 1 && k <= mostAnswers) return k;
  throw new EpsilonError('PARAMETER_INVALID', `k must be a whole number from 1 to ${mostAnswers}.`);
}

function codeOf(error: unknown): Answer['code'] {
  if (error instanceof NotFound) return 404;
  if (!(error instanceof EpsilonError)) return 500;
  if (['MODEL_NOT_LIVE', 'QUERY_UNKNOWN_WORDS'].includes(error.code)) return 404;
  if (error.retryable) return 503;
  return error.exitCode === exitCodes.badInput ? 400 : 500;
}

/** Errors with a code are the caller's to read; of others nobody outside is told more than that they were. */
function refusal(error: unknown): Answer {
  const code = codeOf(error);
  if (code >= 500)
    process.stderr.write(`${JSON.stringify({ message: 'not answered', error: String(error) })}\n`);
  const known = error instanceof EpsilonError && code < 500;
  return { code, body: known ? { code: error.code, message: error.message } : { code: 'NOT_ANSWERED' } };
}

const answering =
  (act: (asked: URLSearchParams) => Promise<object>): Route =>
  (asked) =>
    act(asked).then((body) => ({ code: 200, body }), refusal);

/** Searches of the tenants that were asked last, each of the version that is live. */
function openSearches({ objects }: ServedModels): (live: LiveModel) => Promise<Search> {
  const open = new Map<string, { readonly version: string; readonly search: Promise<Search> }>();
  return (live) => {
    const { tenantId, modelVersion: version } = live;
    const there = open.get(tenantId);
    const kept = there?.version === version ? there : { version, search: openSearch(objects, live) };
    // Asked last stands last.
    open.delete(tenantId);
    open.set(tenantId, kept);
    for (const oldest of open.keys()) {
      if (open.size <= mostOpen) break;
      open.delete(oldest);
    }
    kept.search.catch(() => {
      if (open.get(tenantId) === kept) open.delete(tenantId);
    });
    return kept.search;
  };
}

/** A passage of the live model, out of the cache where it is there: a fresh promotion, or no cache at all, leaves the objects. */
async function passageOf({ models, objects, cache }: ServedModels, live: LiveModel, id: string) {
  const { tenantId, modelVersion } = live;
  const model = await models.get(tenantId, modelVersion);
  const line = model && (await cache?.read({ tenantId, runId: model.runId }, id).catch(() => undefined));
  if (line !== undefined)
    return { from: 'cache', passage: JSON.parse(line) as { text: string; source: string } };
  const passage = (await new PassageFiles(objects, live.dataUri).of(new Set([id]))).get(id);
  if (passage) return { from: 'objects', passage };
  throw new NotFound(
    'PASSAGE_NOT_FOUND',
    `The live model of "${tenantId}" has no passage ${JSON.stringify(id)}.`,
  );
}

/**
 * `/query?tenant=<tenant>&q=<question>&k=<answers>` answers with the best passages of the tenant's live model, `/passage?tenant=<tenant>&id=<passage>`
 * with one of them. The record of what is live is read for each request, so that a promotion or a rollback shows at once. Who asks is not asked:
 * network policies say who may reach this.
 */
export function modelRoutes(served: ServedModels): Readonly<Record<string, Route>> {
  const searchOf = openSearches(served);
  return {
    '/query': answering(async (asked) => {
      const [tenantId, question, k] = [
        required(asked, 'tenant'),
        required(asked, 'q'),
        numberOfAnswers(asked),
      ];
      const live = await requireLive(served, tenantId);
      const answers = await (await searchOf(live)).ask(question, k);
      return { tenantId, modelVersion: live.modelVersion, answers };
    }),
    '/passage': answering(async (asked) => {
      const live = await requireLive(served, required(asked, 'tenant'));
      const { from, passage } = await passageOf(served, live, required(asked, 'id'));
      const { tenantId, modelVersion } = live;
      return {
        tenantId,
        modelVersion,
        from,
        id: asked.get('id'),
        source: passage.source,
        text: passage.text,
      };
    }),
  };
}
