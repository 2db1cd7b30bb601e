import { readingOptions } from '../documents/found.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';
import { DocumentProfile, ListingProfile } from '../quality/document-profile.ts';
import type { Profile } from '../quality/profile.ts';
import type { QualityMemory } from '../quality/verdict.ts';
import type { Tenant } from '../tenants/tenant.ts';
import {
  type ListedFile,
  listDocumentFiles,
  type ReadableObjects,
  readDocuments,
  readListed,
} from './documents.ts';

/** Files of a listing that are kept, so that it is not asked for again when they are read; more are listed twice. */
const mostKept = 20_000;

interface Listed {
  readonly listing: ReturnType<ListingProfile['close']>;
  /** Absent when there are too many to be kept. */
  readonly files?: readonly ListedFile[];
}

async function profileListing(objects: ReadableObjects, { documentsUri }: Tenant): Promise<Listed> {
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

async function profileDocuments(
  objects: ReadableObjects,
  tenant: Tenant,
  { listing, files, maxBytes }: Listed & { readonly maxBytes: number },
): Promise<Profile> {
  // A profile counts bad rows; the rules say how many are too many.
  const reading = { ...readingOptions(tenant.reading), badRowShare: 1 };
  const documents = new DocumentProfile();
  let characters = 0;
  let sampled = false;
  const all = files ? readListed(files, reading) : readDocuments(objects, tenant.documentsUri, reading);
  if (listing.files > 0)
    for await (const found of all) {
      documents.add(found);
      characters += 'text' in found ? found.text.length : 0;
      sampled = characters > maxBytes;
      if (sampled) break;
    }
  return documents.close(listing, sampled);
}

/** A profile, and whether it is new since the last check. */
export interface Profiled {
  readonly profile: Profile;
  readonly changed: boolean;
}

/**
 * Looks at a tenant's documents. The listing is read every time; the documents only when name, size or time of an object has changed since
 * the profile in `memory`. Larger data is read up to `maxBytes` characters in the order of names, and marked `sampled`.
 * Errors: those of the object store, and of a place that may not be read.
 */
export async function profileTenant(
  objects: ReadableObjects,
  tenant: Tenant,
  { memory, maxBytes }: { memory: QualityMemory | undefined; maxBytes: number },
): Promise<Profiled> {
  const listed = await profileListing(objects, tenant);
  if (memory?.profile.digest === listed.listing.digest) return { profile: memory.profile, changed: false };
  return { profile: await profileDocuments(objects, tenant, { ...listed, maxBytes }), changed: true };
}
