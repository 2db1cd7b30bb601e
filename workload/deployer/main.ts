import { search } from '../../lib/training/vectors/flat-index.ts';
import { ArtifactWriter } from '../job/artifacts.ts';
import { type Candidate, loadCandidate } from '../job/candidate.ts';
import { inputOf } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { runJob } from '../job/run-job.ts';

/** Passages that are looked for. */
const sampleSize = 200;

/** Share that must find themselves first, where the tenant's record names none. */
const defaultShare = 0.9;

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
    const [first] = search(index, query, 1);
    const own = search(
      {
        dimensions: index.dimensions,
        vectors: index.vectors.subarray(row * index.dimensions, (row + 1) * index.dimensions),
      },
      query,
      1,
    )[0];
    if (first && own && own.score >= first.score - 1e-6) found += 1;
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
