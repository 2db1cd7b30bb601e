import { type FlatIndex, scoreOf } from '../../lib/training/models/vectors/flat-index.ts';
import { ArtifactWriter } from '../job/artifacts.ts';
import { type Candidate, loadCandidate } from '../job/candidate.ts';
import { inputOf } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { runJob } from '../job/run-job.ts';

/** Passages that are looked for. */
const sampleSize = 200;

/** Share that must find themselves first, where the tenant's record names none. */
const defaultShare = 0.9;

/** Scores closer than this are equal: the order of additions decides the last digits. */
const nearly = 1e-6;

/**
 * Whether a row answers its own text: no other scores better, and it says something. A collapsed model, which scores
 * nothing or most rows alike, finds everything everywhere and answers nobody.
 */
function findsItself(index: FlatIndex, query: Float32Array, own: number): boolean {
  const rows = index.vectors.length / index.dimensions;
  const score = scoreOf(index, query, own);
  let alike = 0;
  for (let row = 0; row < rows; row += 1) {
    const other = scoreOf(index, query, row);
    if (other > score + nearly) return false;
    if (other >= score - nearly) alike += 1;
  }
  return score > 0 && (alike === 1 || alike <= rows / 2);
}

/** Looks evenly spread passages up by their own text; the share whose first hit is themselves (or their equal). */
export function selfRetrieval({ embedder, index, ids, passages }: Candidate): {
  readonly share: number;
  readonly sampled: number;
} {
  const step = Math.max(1, Math.floor(ids.length / sampleSize));
  let sampled = 0;
  let found = 0;
  for (let row = 0; row < ids.length; row += step) {
    const query = embedder.embed(passages.get(ids[row] ?? '')?.text ?? '');
    if (!query) continue;
    sampled += 1;
    if (findsItself(index, query, row)) found += 1;
  }
  return { share: sampled === 0 ? 0 : found / sampled, sampled };
}

await runJob({
  options: { 'tenant-id': { type: 'string' }, 'model-path': { type: 'string' } },
  run: async (context, args) => {
    if (!String(args['model-path']).startsWith(inputOf(context, 'model'))) {
      throw new JobFailure(
        jobExit.usage,
        'USAGE',
        `--model-path ${String(args['model-path'])} is not this run's model.`,
      );
    }
    const candidate = await loadCandidate(context);
    const wanted = context.options.minSelfRetrieval ?? defaultShare;
    const { share, sampled } = selfRetrieval(candidate);
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
      vectors: candidate.ids.length,
      dimensions: candidate.index.dimensions,
    };
    await writer.write('verdict.json', JSON.stringify({ ...facts, wanted, accepted: true }));
    await writer.close(facts);
    return facts;
  },
});
