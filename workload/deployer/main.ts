import {
  mostProbes,
  probeKey,
  type StoredProbes,
  storeProbes,
} from '../../lib/training/models/regression.ts';
import { type FlatRows, scoreOf } from '../../lib/training/models/vectors/flat-index.ts';
import { tokenize } from '../../lib/training/models/vectors/tokens.ts';
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

/** A passage that is looked up by a part of its text, so that a later model can be compared on it. */
interface Probe extends Lookup {
  readonly id: string;
}

/** Every second word of a text. */
const partOf = (text: string) =>
  tokenize(text)
    .filter((_, index) => index % 2 === 0)
    .join(' ');

/** The probes with one more, those with the smallest ids: the same ones in every corpus that has their passages. */
function withProbe(probes: Probe[], probe: () => Probe | undefined, id: string): void {
  if (probes.length >= mostProbes && id >= (probes.at(-1)?.id ?? '')) return;
  const made = probe();
  if (!made) return;
  const at = probes.findIndex((one) => one.id > id);
  probes.splice(at < 0 ? probes.length : at, 0, made);
  if (probes.length > mostProbes) probes.pop();
}

/** Evenly spread passages, each with the score of its own row, and the probes. */
async function sample({
  embedder,
  rows,
  entries,
}: Candidate): Promise<{ lookups: Lookup[]; probes: Probe[] }> {
  const step = Math.max(1, Math.floor(rows / sampleSize));
  const lookups: Lookup[] = [];
  const probes: Probe[] = [];
  for await (const { row, passage, vector } of entries()) {
    const lookupOf = (text: string): Lookup | undefined => {
      const query = embedder.embed(text);
      if (!query) return undefined;
      const score = scoreOf({ dimensions: vector.length, vectors: vector }, query, 0);
      return { row, query, score, alike: 0, beaten: false };
    };
    const { id, text } = passage;
    const lookup = row % step === 0 ? lookupOf(text) : undefined;
    if (lookup) lookups.push(lookup);
    const probe = () => {
      const made = lookupOf(partOf(text));
      return made && { ...made, id };
    };
    withProbe(probes, probe, id);
  }
  return { lookups, probes };
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
): Promise<{
  readonly share: number;
  readonly sampled: number;
  /** Those that score like more than half of all passages. */
  readonly indistinct: number;
  readonly probes: StoredProbes;
}> {
  const { lookups, probes } = await sample(candidate);
  for await (const rows of candidate.index()) {
    checkInterrupted(context);
    for (const lookup of [...lookups, ...probes]) lookThrough(rows, lookup);
    context.report({ done: rows.firstRow, total: candidate.rows, unit: 'rows' });
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const isIndistinct = ({ alike }: Lookup) => alike > 1 && alike > candidate.rows / 2;
  const isFound = (lookup: Lookup) => !lookup.beaten && lookup.score > 0 && !isIndistinct(lookup);
  const found = lookups.filter(isFound);
  const keysOf = (wanted: boolean) =>
    probes.filter((probe) => isFound(probe) === wanted).map(({ id }) => probeKey(id));
  return {
    share: lookups.length === 0 ? 0 : found.length / lookups.length,
    sampled: lookups.length,
    indistinct: lookups.filter(isIndistinct).length,
    probes: storeProbes({ found: keysOf(true), missed: keysOf(false) }),
  };
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
    const { share, sampled, indistinct, probes } = await selfRetrieval(context, candidate);
    context.progress('self-retrieval measured', { share, sampled, wanted });
    if (share < wanted) {
      const why =
        indistinct === 0
          ? ''
          : ` (${indistinct} score like more than half of all passages: these have the same words, or the model learnt nothing)`;
      throw new JobFailure(
        jobExit.data,
        'CANDIDATE_REFUSED',
        `${(share * 100).toFixed(1)} % of ${sampled} passages find themselves, ${(wanted * 100).toFixed(1)} % are needed${why}; the old model stays.`,
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
    const outputBytes = await writer.close(facts);
    return { ...facts, outputBytes, probes };
  },
});
