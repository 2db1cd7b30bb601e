import { createHash } from 'node:crypto';
import { type Found, readingOptions } from '../documents/found.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';
import type { WantedDocuments } from '../quality/datasets/jobs.ts';
import { DocumentProfile, ListingProfile } from '../quality/document-profile.ts';
import type { Listing, Profile } from '../quality/profile.ts';
import type { QualityMemory } from '../quality/verdict.ts';
import type { Tenant } from '../tenants/tenant.ts';
import {
  type AcceptFile,
  type ListedFile,
  listDocumentFiles,
  type ReadableObjects,
  readDocuments,
  readListed,
} from './documents.ts';
import { findJudged } from './judged-documents.ts';

/** Files of a listing that are kept, so that it is not asked for again when they are read; more are listed twice. */
const mostKept = 20_000;

interface Listed {
  readonly listing: Listing;
  /** Absent when there are too many to be kept. */
  readonly files?: readonly ListedFile[];
}

type Place = Pick<Tenant, 'documentsUri' | 'reading'>;

async function profileListing(objects: ReadableObjects, { documentsUri }: Place): Promise<Listed> {
  const listing = new ListingProfile();
  const files: ListedFile[] = [];
  try {
    for await (const file of listDocumentFiles(objects, documentsUri)) {
      if ('open' in file) listing.add(file);
      if (files.length <= mostKept) files.push(file);
    }
  } catch (error) {
    // Nothing is there: that is a finding and no fault of the check.
    if (!(error instanceof EpsilonError && error.code === 'DOCUMENTS_NOT_FOUND')) throw error;
  }
  return { listing: listing.close(), ...(files.length > mostKept ? {} : { files }) };
}

/** What is read at most, and of which files. */
interface Extent {
  /** Characters. */
  readonly maxBytes: number;
  readonly accept?: AcceptFile | undefined;
}

/**
 * Files that are read of documents larger than `maxBytes`: as many as are about that large, always the same of the same names, by a hash of
 * them. Names often begin with a date, and the first ones alone would never say anything of what is new.
 */
function sampledFiles({ bytes }: Listing, { maxBytes, accept = () => true }: Extent): AcceptFile {
  const limit = (maxBytes / bytes) * 2 ** 32;
  return (file) => createHash('sha256').update(file.source).digest().readUInt32BE(0) < limit && accept(file);
}

async function readProfile(
  all: AsyncIterable<Found>,
  listing: Listing,
  { maxBytes, part }: { readonly maxBytes: number; readonly part: boolean },
): Promise<Profile> {
  const documents = new DocumentProfile();
  let characters = 0;
  let cut = false;
  for await (const found of all) {
    documents.add(found);
    characters += 'text' in found ? found.text.length : 0;
    cut = characters > maxBytes;
    if (cut) break;
  }
  return documents.close(listing, part || cut);
}

/** Reads documents that were listed. Errors: those of the object store, and of a place that may not be read. */
async function profileListed(
  objects: ReadableObjects,
  { documentsUri, reading: asked }: Place,
  { listing, files }: Listed,
  extent: Extent,
): Promise<Profile> {
  // A profile counts bad rows; the rules say how many are too many.
  const reading = { ...readingOptions(asked), badRowShare: 1 };
  const { maxBytes, accept } = extent;
  const read = (wanted: AcceptFile | undefined, part: boolean) =>
    readProfile(
      files
        ? readListed(files, { ...reading, accept: wanted })
        : readDocuments(objects, documentsUri, { ...reading, accept: wanted }),
      listing,
      { maxBytes, part },
    );
  if (listing.files === 0) return new DocumentProfile().close(listing, false);
  if (listing.files === 1 || listing.bytes <= maxBytes) return read(accept, false);
  const sampled = await read(sampledFiles(listing, extent), true);
  // A few very large files: the beginning of the first is better than nothing.
  return sampled.found > 0 ? sampled : read(accept, true);
}

/** A profile, and whether it is new since the last check. */
interface Profiled {
  readonly profile: Profile;
  readonly changed: boolean;
}

/** What was listed where the documents are for a job to read. */
interface ForJob {
  readonly listing: Listing;
}

/** What a look at a tenant's documents goes by. */
export interface LookOptions {
  readonly memory: QualityMemory | undefined;
  /** Characters that are read at most. */
  readonly maxBytes: number;
  /** Whether new documents of so many bytes are left to a job; they never are where this is absent. */
  readonly forJob?: (bytes: number) => boolean;
}

/**
 * Looks at a tenant's documents. The listing is read every time; the documents only when name, size or time of an object has changed since
 * the profile in `memory`. Of larger data a part is read, always the same files, and the profile marked `sampled`.
 * Errors: those of the object store, and of a place that may not be read.
 */
export async function profileTenant(
  objects: ReadableObjects,
  tenant: Tenant,
  options: Omit<LookOptions, 'forJob'>,
): Promise<Profiled>;
export async function profileTenant(
  objects: ReadableObjects,
  tenant: Tenant,
  options: LookOptions,
): Promise<Profiled | ForJob>;
export async function profileTenant(
  objects: ReadableObjects,
  tenant: Tenant,
  { memory, maxBytes, forJob }: LookOptions,
): Promise<Profiled | ForJob> {
  const listed = await profileListing(objects, tenant);
  const { listing } = listed;
  if (memory?.profile.digest === listing.digest) return { profile: memory.profile, changed: false };
  if (forJob?.(listing.bytes)) return { listing };
  return { profile: await profileListed(objects, tenant, listed, { maxBytes }), changed: true };
}

/**
 * Reads documents that a check has listed, and no later ones. `DATA_NOT_JUDGED` when one of them was replaced or removed since; otherwise as of
 * `profileTenant`.
 */
export async function profileWanted(
  objects: ReadableObjects,
  { documentsUri, reading, listing, at }: WantedDocuments,
  maxBytes: number,
): Promise<Profile> {
  const { accept } = await findJudged(objects, documentsUri, { digest: listing.digest, at });
  return profileListed(objects, { documentsUri, reading }, { listing }, { maxBytes, accept });
}
