import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findWorkload } from '../../lib/config/training-of.ts';
import { referenceWorkload } from '../../lib/config/workloads.ts';
import type { ImageResolver } from '../../lib/ports/image-resolver.ts';
import { contractVersions, unsaidVersions } from '../../lib/training/attempts/job-contract.ts';
import type { ImageName } from '../../lib/training/stages.ts';
import { type HostPlace, imageOf } from '../workloads/host-workloads.ts';

/** Folders whose sources the workload's processes run. */
const sources = [
  'workload',
  'lib/training',
  'lib/documents',
  'lib/objects',
  'lib/files',
  'lib/errors',
  'lib/quality',
] as const;

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/**
 * Images of this host are programs. The reference workload's digest is over path and content of its sources; that of a configured
 * workload over what would run now, so that it is another one after an edit.
 */
export function workloadImages(place: HostPlace): ImageResolver {
  const { projectDir } = place;
  let digest: string | undefined;
  const compute = (): string => {
    const hash = createHash('sha256');
    for (const folder of sources) {
      for (const file of sourceFiles(join(projectDir, folder))) {
        hash.update(file.slice(projectDir.length)).update('\0').update(readFileSync(file)).update('\0');
      }
    }
    return hash.digest('hex');
  };
  return {
    resolve: async (names, workload = referenceWorkload) => {
      const referenceOf = (name: ImageName) => {
        const configured = imageOf(place, workload, name);
        digest ??= configured === undefined ? compute() : undefined;
        return configured ?? `${name}@sha256:${digest}`;
      };
      return Object.fromEntries(names.map((name) => [name, referenceOf(name)])) as Record<ImageName, string>;
    },
    contractOf: async (_image, workload = referenceWorkload) => {
      const { commands, contract } = findWorkload(place.workloads, workload);
      return commands ? (contract ?? unsaidVersions) : contractVersions;
    },
  };
}
