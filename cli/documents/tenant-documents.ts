import { readingOptions } from '../../lib/documents/found.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { ReadableObjects } from '../../lib/files/documents.ts';
import { type Survey, type SurveyLimits, surveyDocuments } from '../../lib/files/survey.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { plain } from '../output.ts';
import type { Session } from '../session.ts';
import { documentsUriOf } from './documents.ts';

/** Documents that are read when a tenant is added: enough to see whether its documents can be. */
const enough = 200;

/** Fewer documents than this are refused by the data stage. */
const fewest = 10;

/** Options of the command line that say how documents are read. */
export interface ReadingWords {
  readonly textColumn?: string;
  readonly idColumn?: string;
  readonly badRows?: string;
}

/** A number as typed; "none" is none. */
function numberOf(word: string): number | undefined {
  return word === 'none' ? undefined : word.trim() === '' ? Number.NaN : Number(word);
}

/** The record's words about reading with those of the command line put over them; empty when there are none. */
export function readingOf(
  { textColumn, idColumn, badRows }: ReadingWords,
  before: Tenant['reading'],
): Pick<Tenant, 'reading'> {
  const { badRowShare: share, ...columns } = before ?? {};
  const badRowShare = badRows === undefined ? share : numberOf(badRows);
  const reading = {
    ...columns,
    ...(textColumn === undefined ? {} : { textColumn }),
    ...(idColumn === undefined ? {} : { idColumn }),
    ...(badRowShare === undefined ? {} : { badRowShare }),
  };
  return Object.keys(reading).length === 0 ? {} : { reading };
}

/** Caps as typed: a number, or "none". */
export interface LimitWords {
  readonly maxTokens?: string;
  readonly maxDocuments?: string;
}

/** The record's limits with those of the command line put over them. */
export function limitsOf(words: LimitWords, before: Tenant['limits']): Tenant['limits'] {
  const maxTokens = words.maxTokens === undefined ? before.maxTokens : numberOf(words.maxTokens);
  const maxDocuments = words.maxDocuments === undefined ? before.maxDocuments : numberOf(words.maxDocuments);
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(maxDocuments === undefined ? {} : { maxDocuments }),
  };
}

/** What a documents URI of this host never asks. */
const noObjects: ReadableObjects = {
  head: async () => undefined,
  async *list() {},
  async *stream() {},
};

/** The objects of a control plane, which gives them whole. */
function readable({ get, head, list }: Pick<ObjectStore, 'get' | 'head' | 'list'>): ReadableObjects {
  return {
    head,
    list,
    async *stream(uri) {
      yield await get(uri);
    },
  };
}

/** What would be read of documents named on the command line, all of them. Errors as of `documentsUriOf`, `readDocuments`. */
export async function dryRun(
  given: string,
  tenant: Pick<Tenant, 'reading' | 'limits'>,
  objects?: Pick<ObjectStore, 'get' | 'head' | 'list'>,
): Promise<Survey> {
  const { maxDocuments } = tenant.limits;
  const limits: SurveyLimits = maxDocuments === undefined ? {} : { maxDocuments };
  const store = objects ? readable(objects) : noObjects;
  return surveyDocuments(store, await documentsUriOf(given), readingOptions(tenant.reading), limits);
}

/** What would be read and left out, in words. */
export function surveyText({ counts, passages, first, words, complete }: Survey): string {
  const some =
    first.length === 0 ? '' : ` (${first.map(plain).join(', ')}${counts.used > first.length ? ', ...' : ''})`;
  const lines = [
    `${counts.used} of ${counts.found} documents would be read${complete ? '' : ' so far'}${some}, ${passages} passages.`,
    ...(words === '' ? [] : [`Left out: ${words}.`]),
    ...(complete && counts.used < fewest ? [`At least ${fewest} documents are needed to train.`] : []),
  ];
  return lines.join('\n');
}

/**
 * Reads the first of a tenant's documents as the data stage will, when they are on this machine: faults of the input are found here
 * and not at night. Throws `DOCUMENTS_UNUSABLE` when none can be used, and what `readDocuments` throws; says when they are few.
 */
export async function checkReadable(
  { output }: Session,
  given: string,
  tenant: Pick<Tenant, 'reading' | 'limits'>,
): Promise<void> {
  if (given.startsWith('s3://')) return;
  const uri = await documentsUriOf(given);
  const survey = await surveyDocuments(noObjects, uri, readingOptions(tenant.reading), { enough });
  const { counts, words } = survey;
  if (counts.used === 0)
    throw new EpsilonError(
      'DOCUMENTS_UNUSABLE',
      `None of the ${counts.found} documents at ${plain(given)} can be used: ${words}.${words.includes('(it has: ') ? ' Name the one that holds the texts by --text-column.' : ''}`,
    );
  if (output.json) return;
  if (words !== '') output.warn(`Left out${survey.complete ? '' : ' so far'}: ${words}.\n`);
  if (survey.complete && counts.used < fewest)
    output.write(
      `${counts.used} usable document${counts.used === 1 ? '' : 's'}; at least ${fewest} are needed to train.\n`,
    );
}
