import { type FlatRows, scoreOf } from '../../lib/training/models/vectors/flat-index.ts';
import { ArtifactWriter } from '../job/artifacts.ts';
import { type Candidate, openCandidate } from '../job/candidate.ts';
import { inputUri, type JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted, runJob } from '../job/run-job.ts';

/** Passages that are looked for. */
const sampleSize = 200;

/** Share that must find themselves first, where the tenant's record names none. */
const defaultShare = 0.9;

/** Scores closer than this are equal: the order of additions decides the last digits. */
const nearly = 1e-6;

/** A passage that is looked up by its own text, and what came of it. */
interface Lookup {
  readonly row: number;
  readonly query: Float32Array;
  readonly score: number;
  /** Rows that score as well as its own, itself included. */
  alike: number;
  beaten: boolean;
}

/** Evenly spread passages, each with the score of its own row. */
async function sample({ embedder, rows, entries }: Candidate): Promise<Lookup[]> {
  const step = Math.max(1, Math.floor(rows / sampleSize));
  const lookups: Lookup[] = [];
  for await (const { row, passage, vector } of entries()) {
    const query = row % step === 0 ? embedder.embed(passage.text) : undefined;
    if (!query) continue;
    const score = scoreOf({ dimensions: vector.length, vectors: vector }, query, 0);
    lookups.push({ row, query, score, alike: 0, beaten: false });
  }
  return lookups;
}

/** Looks at some rows of the index for a lookup: one that scores better beats it. */
function lookThrough(rows: FlatRows, lookup: Lookup): void {
  const count = rows.vectors.length / rows.dimensions;
  for (let at = 0; at < count && !lookup.beaten; at += 1) {
    const score = scoreOf(rows, lookup.query, at);
    if (score > lookup.score + nearly) lookup.beaten = true;
    else if (score >= lookup.score - nearly) lookup.alike += 1;
  }
}

/**
 * Looks evenly spread passages up by their own text; the share whose first hit is themselves (or their equal). A collapsed
 * model, which scores nothing or most rows alike, finds everything everywhere and answers nobody.
 */
async function selfRetrieval(
  context: JobContext,
  candidate: Candidate,
): Promise<{ readonly share: number; readonly sampled: number }> {
  const lookups = await sample(candidate);
  for await (const rows of candidate.index()) {
    checkInterrupted(context);
    for (const lookup of lookups) lookThrough(rows, lookup);
    context.report({ done: rows.firstRow, total: candidate.rows, unit: 'rows' });
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const found = lookups.filter(
    ({ score, alike, beaten }) => !beaten && score > 0 && (alike === 1 || alike <= candidate.rows / 2),
  );
  return { share: lookups.length === 0 ? 0 : found.length / lookups.length, sampled: lookups.length };
}

await runJob({
  options: { 'tenant-id': { type: 'string' }, 'model-path': { type: 'string' } },
  run: async (context, args) => {
    if (!String(args['model-path']).startsWith(inputUri(context, 'model'))) {
      throw new JobFailure(
        jobExit.usage,
        'USAGE',
        `--model-path ${String(args['model-path'])} is not this run's model.`,
      );
    }
    const candidate = await openCandidate(context);
    const wanted = context.options.minSelfRetrieval ?? defaultShare;
    const { share, sampled } = await selfRetrieval(context, candidate);
    context.progress('self-retrieval measured', { share, sampled, wanted });
    if (share < wanted) {
      throw new JobFailure(
        jobExit.data,
        'CANDIDATE_REFUSED',
        `${(share * 100).toFixed(1)} % of ${sampled} passages find themselves, ${(wanted * 100).toFixed(1)} % are needed; the old model stays.`,
      );
    }
    const writer = new ArtifactWriter(context);
    const facts = {
      selfRetrieval: share,
      sampled,
      vectors: candidate.rows,
      dimensions: candidate.embedder.dimensions,
    };
    await writer.write('verdict.json', JSON.stringify({ ...facts, wanted, accepted: true }));
    await writer.close(facts);
    return facts;
  },
});
