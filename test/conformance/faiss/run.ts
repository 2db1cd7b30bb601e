import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Embedder } from '../../../lib/training/models/vectors/embedder.ts';
import { decodeFlatIndex, search } from '../../../lib/training/models/vectors/flat-index.ts';
import { decodeModel } from '../../../lib/training/models/vectors/word-model.ts';
import { documentsFolder, openWorkload } from '../../workload/harness.ts';
import { conclude, installPackage, works } from '../debian.ts';

/** `npm run test:conformance:faiss`: the index that the workload writes, opened and searched by the real FAISS. */
const python = '/usr/bin/python3';
const k = 5;

interface Found {
  readonly version: string;
  readonly kind: string;
  readonly count: number;
  readonly dimensions: number;
  readonly metric: number;
  readonly trained: boolean;
  readonly rows: readonly (readonly number[])[];
  readonly scores: readonly (readonly number[])[];
}

async function buildIndex() {
  const workload = openWorkload();
  await workload.stage('prepare', { documents: pathToFileURL(documentsFolder(120)).href });
  await workload.stage('train');
  const { code, stderr } = await workload.stage('index');
  if (code !== 0) throw new Error(`the index stage ended with ${code}: ${stderr}`);
  const file = join(workload.root, 'objects', workload.prefix('index').slice('s3://'.length), 'index.faiss');
  const embedder = new Embedder(
    decodeModel(await workload.objects.get(`${workload.prefix('train')}model.bin`)),
  );
  return {
    file,
    index: decodeFlatIndex(await workload.objects.get(`${workload.prefix('index')}index.faiss`)),
    embedder,
  };
}

function compare(
  found: Found,
  index: ReturnType<typeof decodeFlatIndex>,
  queries: readonly Float32Array[],
): { compared: number; faults: string[] } {
  const faults: string[] = [];
  const facts: readonly (readonly [string, unknown, unknown])[] = [
    // Python's view of a flat index is IndexFlat or IndexFlatIP, as the version has it; the metric tells which it is.
    ['kind', found.kind.startsWith('IndexFlat'), true],
    ['count', found.count, index.vectors.length / index.dimensions],
    ['dimensions', found.dimensions, index.dimensions],
    ['metric (0 = inner product)', found.metric, 0],
    ['trained', found.trained, true],
  ];
  for (const [name, there, here] of facts)
    if (there !== here) faults.push(`${name}: FAISS says ${String(there)}, here ${String(here)}`);
  queries.forEach((query, at) => {
    const ours = search(index, query, k);
    const scores = found.scores[at] ?? [];
    // Equal scores may come in any order: the scores are compared, and each row by the score it has here.
    const differ = ours.some((hit, place) => Math.abs(hit.score - (scores[place] ?? Number.NaN)) > 1e-4);
    const rows = found.rows[at] ?? [];
    const strange = rows.some(
      (row, place) =>
        !ours.some((hit) => hit.row === row) &&
        Math.abs((scores[place] ?? 0) - (ours.at(-1)?.score ?? 0)) > 1e-4,
    );
    if (differ || strange)
      faults.push(
        `query ${at}: FAISS ${JSON.stringify(rows)} ${JSON.stringify(scores)}, here ${JSON.stringify(ours)}`,
      );
  });
  return { compared: facts.length + queries.length, faults };
}

const missing = installPackage('python3-faiss', () => works(python, '-c', 'import faiss, numpy'));
if (missing !== undefined) conclude(0, [], missing);
else {
  const { file, index, embedder } = await buildIndex();
  const texts = Array.from(
    { length: 50 },
    (_, number) =>
      `${['cats mice', 'rockets clouds', 'bread dough', 'rivers seas'][number % 4]} number ${number} chapter day`,
  );
  const queries = texts.flatMap((text) => embedder.embed(text) ?? []);
  const queryFile = join(file, '..', 'queries.json');
  writeFileSync(queryFile, JSON.stringify(queries.map((query) => [...query])));
  const answer = execFileSync(python, [join(import.meta.dirname, 'search.py'), file, queryFile, String(k)], {
    encoding: 'utf8',
  });
  const found = JSON.parse(answer) as Found;
  const { compared, faults } = compare(found, index, queries);
  process.stdout.write(
    `FAISS ${found.version} opened ${found.kind} with ${found.count} vectors of ${found.dimensions} dimensions; ${queries.length} queries, top ${k}\n`,
  );
  conclude(compared, faults);
}
