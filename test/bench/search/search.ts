import { copyFileSync, globSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import MiniSearch from 'minisearch';
import type { Passage } from '../../../lib/documents/passages.ts';
import { openSearch } from '../../../lib/operations/models/search.ts';
import type { LiveModel } from '../../../lib/training/models/model.ts';
import { freshDir } from '../../fresh-dir.ts';
import { openWorkload } from '../../workload/harness.ts';
import { pypiSource } from './pypi.ts';
import { pypiCorpora } from './pypi-questions.ts';
import { type SearchCorpus, searchCorpora } from './questions.ts';

/** Answers that are looked at for the rank of the first right one. */
const most = 10;

/** Tokens of training data of a corpus. */
const maxTokens = 300_000;

/** Gives the sources of the best passages, best first. */
type Ask = (question: string) => readonly string[] | Promise<readonly string[]>;

interface Marks {
  readonly hitAt3: number;
  /** Mean of 1 / rank of the first right answer, 0 where none of ten is right. */
  readonly meanReciprocalRank: number;
  readonly missed: readonly string[];
}

/** Name of the document that answers are named by. */
const fileOf = (name: string) => `${name.replaceAll('/', '-')}.md`;

/** Copies a corpus's documents into a folder, each named by its path; of two copies of a page the first. */
function gather({ pypi, files, without, named }: SearchCorpus): string {
  const source = pypi === undefined ? 'node_modules' : pypiSource(pypi);
  const folder = freshDir();
  mkdirSync(folder, { recursive: true });
  const names = new Set<string>();
  for (const file of globSync(files, { cwd: source }).sort()) {
    const name = named.exec(file)?.[1];
    if (name === undefined || names.has(name) || without?.test(file)) continue;
    if (!statSync(join(source, file)).isFile()) continue;
    names.add(name);
    copyFileSync(join(source, file), join(folder, fileOf(name)));
  }
  return folder;
}

async function mark({ questions }: SearchCorpus, ask: Ask): Promise<Marks> {
  let [hits, reciprocals] = [0, 0];
  const missed: string[] = [];
  for (const [question, ...answers] of questions) {
    const right = new Set(answers.map(fileOf));
    const sources = await ask(question);
    const rank = sources.findIndex((source) => right.has(source.split('/').at(-1) ?? ''));
    if (rank >= 0 && rank < 3) hits += 1;
    else missed.push(question);
    reciprocals += rank < 0 ? 0 : 1 / (rank + 1);
  }
  return { hitAt3: hits, meanReciprocalRank: reciprocals / questions.length, missed };
}

/** BM25 of a library over the same passages, as it comes. */
function askMiniSearch(passages: readonly Passage[]): Ask {
  const index = new MiniSearch({ fields: ['text'], storeFields: ['source'] });
  index.addAll(passages.map(({ id, source, text }) => ({ id, source, text })));
  return (question) =>
    index
      .search(question)
      .slice(0, most)
      .map(({ source }) => String(source));
}

async function measure(corpus: SearchCorpus) {
  const workload = openWorkload();
  const env = { EPSILON_CPUS: '2' };
  const options = { maxTokens };
  for (const stage of ['prepare', 'train', 'index']) {
    const documents = pathToFileURL(gather(corpus)).href;
    const { code, stderr } = await workload.stage(stage, { documents, options, env });
    if (code !== 0) throw new Error(`${stage} of ${corpus.name} ended with ${code}: ${stderr}`);
  }
  const { objects, prefix } = workload;
  const live = {
    tenantId: 'acme',
    modelUri: `${prefix('train')}model.bin`,
    indexUri: `${prefix('index')}index.faiss`,
    dataUri: prefix('prepare'),
  } as LiveModel;
  const began = performance.now();
  const search = await openSearch(objects, live);
  const opened = performance.now();
  const epsilon = await mark(corpus, async (question) => {
    try {
      return (await search.ask(question, most)).map(({ source }) => source);
    } catch {
      return [];
    }
  });
  const msPerQuestion = (performance.now() - opened) / corpus.questions.length;
  const passages: Passage[] = [];
  for await (const { uri } of objects.list(prefix('prepare')))
    if (uri.endsWith('.jsonl'))
      for (const line of new TextDecoder()
        .decode(await objects.get(uri))
        .trim()
        .split('\n'))
        passages.push(JSON.parse(line) as Passage);
  const bm25 = await mark(corpus, askMiniSearch(passages));
  return {
    passages: passages.length,
    questions: corpus.questions.length,
    openMs: opened - began,
    msPerQuestion,
    epsilon,
    bm25,
    hitRatio: epsilon.hitAt3 / bm25.hitAt3,
    rankRatio: epsilon.meanReciprocalRank / bm25.meanReciprocalRank,
  };
}

/** `npm run bench -- search`: answers of the reference workload's models beside BM25 (minisearch), on the same passages. */
export async function benchSearch(): Promise<Record<string, unknown>> {
  const figures: Record<string, unknown> = {};
  for (const corpus of [...searchCorpora, ...pypiCorpora]) figures[corpus.name] = await measure(corpus);
  return figures;
}
