import { join } from 'node:path';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { openLocalStores } from '../../local/stores/local-stores.ts';
import { openStateDirectory } from '../../local/stores/state-directory.ts';
import type { ServedModels } from './served-models.ts';

/** Live models of an embedded control plane, read beside the process that writes them. */
export function modelsOfState(directory: string): ServedModels {
  const state = openStateDirectory(directory, 'read');
  const { models, tenants } = openLocalStores({ stateDir: state.databases, readOnly: true });
  return { models, tenants, objects: createFileObjectStore({ root: join(state.path, 'objects') }) };
}
