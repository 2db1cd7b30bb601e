import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import {
  type InfrastructureConfig,
  type ServiceFacts,
  trainingImages,
} from '../../lib/config/infrastructure.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { loadInfrastructure } from '../../lib/config/load-infrastructure.ts';
import { imagesFileOf, type ReleasedTo, releasedStageImages } from '../../lib/config/released-images.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

function readYaml(path: string): unknown {
  const url = new URL(`../config/${path}`, import.meta.url);
  try {
    return parse(readFileSync(url, 'utf8'));
  } catch (cause) {
    throw new EpsilonError('CONFIG_PARSE', `infra/config/${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Where an environment's releases go; dev has none. */
const releasedTo: Readonly<Record<string, ReleasedTo>> = { staging: 'staging', prod: 'production' };

/** Digests of the images of training stages, of the one file in which a release names digests; null for one that it does not name. */
function releasedDigests(environment: string): Record<string, string | null> {
  const place = releasedTo[environment];
  const images = place ? releasedStageImages(place, readYaml(`../../${imagesFileOf(place)}`)) : {};
  return Object.fromEntries(trainingImages.map((image) => [image, images[image]?.digest ?? null]));
}

/** What the two files of an environment say: the infrastructure's as it is, the service's checked. */
export function readFiles(environment: string): { readonly file: unknown; readonly service: ServiceFacts } {
  if (!/^(dev|staging|prod)$/.test(environment)) {
    throw new EpsilonError('CONFIG_INVALID', `Stack "${environment}" is none of dev, staging, prod.`);
  }
  const service = loadConfig({ file: readYaml(`${environment}.yml`), variables: {} });
  const file = readYaml(`infrastructure/${environment}.yml`) as object;
  return { file: { ...file, imageDigests: releasedDigests(environment) }, service };
}

/** Checked settings of an environment, from both of its files. Errors: those of `loadInfrastructure`, and `CONFIG_PARSE`. */
export function readSettings(environment: string): InfrastructureConfig {
  const { file, service } = readFiles(environment);
  return loadInfrastructure(file, service);
}
