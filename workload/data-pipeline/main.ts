import { tokenize } from '../../lib/training/models/vectors/tokens.ts';
import { ArtifactWriter, type Passage } from '../job/artifacts.ts';
import { inputOf, type JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted, runJob, sha256 } from '../job/run-job.ts';
import { readDocuments } from './documents.ts';
import { normalise, passagesOf, textOf } from './passages.ts';

/** Fewer usable documents than this are no data set. */
const fewestDocuments = 10;

/** Passages per shard. */
const shardSize = 1_000;

interface Gathered {
  readonly passages: Passage[];
  readonly counts: {
    found: number;
    used: number;
    tooLarge: number;
    notText: number;
    empty: number;
    duplicate: number;
    overCap: number;
    duplicatePassages: number;
  };
}

async function gather(context: JobContext): Promise<Gathered> {
  const counts = {
    found: 0,
    used: 0,
    tooLarge: 0,
    notText: 0,
    empty: 0,
    duplicate: 0,
    overCap: 0,
    duplicatePassages: 0,
  };
  const documents = new Set<string>();
  const seen = new Set<string>();
  const passages: Passage[] = [];
  for await (const { source, bytes } of readDocuments(context.objects, inputOf(context, 'documents'))) {
    checkInterrupted(context);
    counts.found += 1;
    const raw = bytes && textOf(bytes);
    const text = raw === undefined ? undefined : normalise(raw);
    if (bytes === undefined) counts.tooLarge += 1;
    else if (text === undefined) counts.notText += 1;
    else if (text === '') counts.empty += 1;
    else if (documents.has(sha256(text))) counts.duplicate += 1;
    else if (counts.used >= (context.options.maxDocuments ?? Number.POSITIVE_INFINITY)) counts.overCap += 1;
    else {
      documents.add(sha256(text));
      counts.used += 1;
      for (const passage of passagesOf(source, text)) {
        if (seen.has(passage.id)) counts.duplicatePassages += 1;
        else {
          seen.add(passage.id);
          passages.push(passage);
        }
      }
    }
  }
  return { passages, counts };
}

function checkUsable({ counts, passages }: Gathered, uri: string): void {
  const { found, used, tooLarge, notText, empty, duplicate } = counts;
  if (found === 0)
    throw new JobFailure(jobExit.noInput, 'DOCUMENTS_EMPTY', `There are no documents at ${uri}.`);
  if (used >= fewestDocuments && passages.length > 0) return;
  throw new JobFailure(
    jobExit.data,
    'DATA_TOO_FEW_DOCUMENTS',
    `${used} usable documents at ${uri}, at least ${fewestDocuments} are needed (${found} found: ${notText} not UTF-8 text, ${empty} empty, ${duplicate} duplicates, ${tooLarge} larger than 16 MiB).`,
  );
}

async function prepare(context: JobContext) {
  const gathered = await gather(context);
  checkUsable(gathered, inputOf(context, 'documents'));
  const { passages, counts } = gathered;
  const writer = new ArtifactWriter(context);
  const digests: string[] = [];
  for (let first = 0; first < passages.length; first += shardSize) {
    const lines = passages.slice(first, first + shardSize).map((passage) => `${JSON.stringify(passage)}\n`);
    digests.push(
      await writer.write(`passages-${String(first / shardSize).padStart(5, '0')}.jsonl`, lines.join('')),
    );
  }
  const tokens = passages.reduce((sum, passage) => sum + tokenize(passage.text).length, 0);
  const facts = {
    documents: counts,
    passages: passages.length,
    tokens,
    checksum: sha256(digests.join('\n')),
  };
  await writer.close(facts);
  return { ...facts, uri: context.output, checksums: { data: facts.checksum } };
}

await runJob({
  options: { 'tenant-id': { type: 'string' }, output: { type: 'string' } },
  run: async (context, { output }) => {
    if (output !== context.output)
      throw new JobFailure(
        jobExit.usage,
        'USAGE',
        `--output ${String(output)} is not this attempt's prefix ${context.output}.`,
      );
    return prepare(context);
  },
});
