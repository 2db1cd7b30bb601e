import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { openSearch } from '../../lib/operations/models/search.ts';
import type { LiveModel } from '../../lib/training/models/model.ts';

/** Asks a trained model one question: root of the objects, URIs of model and index, prefix of the passages; prints the answers. */
const [root = '', modelUri = '', indexUri = '', dataUri = ''] = process.argv.slice(2);
const objects = createFileObjectStore({ root });
const search = await openSearch(objects, { tenantId: 'acme', modelUri, indexUri, dataUri } as LiveModel);
const begin = new TextDecoder().decode(await objects.get(`${dataUri}passages-00000.jsonl`, { first: 400 }));
const question = /"text":"((?:\w+ ){6})/.exec(begin)?.[1] ?? '';
process.stdout.write(`${JSON.stringify(await search.ask(question, 3))}\n`);
