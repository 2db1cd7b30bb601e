import { LifecyclePolicy } from '@pulumi/aws/ecr/lifecyclePolicy.js';
import { ReplicationConfiguration } from '@pulumi/aws/ecr/replicationConfiguration.js';
import { Repository } from '@pulumi/aws/ecr/repository.js';
import { RepositoryCreationTemplate } from '@pulumi/aws/ecr/repositoryCreationTemplate.js';
import type { Keys } from './keys.ts';
import type { Site } from './site.ts';

/** Images of the training stages, of the product and of the job watcher. */
export const imageNames = ['data-pipeline', 'ml-engine', 'deployer', 'backend-api', 'job-watcher'] as const;

/** Name of an image. */
export type ImageName = (typeof imageNames)[number];

/** Untagged images are build leftovers; tagged ones are kept, a rollback may want them. */
const tidy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      description: 'untagged after 14 days',
      selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 14 },
      action: { type: 'expire' },
    },
  ],
});

/** Creates one repository per image: tags never move, every push is scanned. */
export function createRegistry(site: Site, keys: Keys): Record<ImageName, Repository> {
  const make = (image: ImageName) => {
    const name = `epsilon${site.config.nameSuffix}/${image}`;
    const repository = new Repository(
      name,
      {
        name,
        imageTagMutability: 'IMMUTABLE',
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfigurations: [{ encryptionType: 'KMS', kmsKey: keys.data.arn }],
      },
      { ...site.here, protect: true },
    );
    new LifecyclePolicy(name, { repository: repository.name, policy: tidy }, site.here);
    return repository;
  };
  return {
    'data-pipeline': make('data-pipeline'),
    'ml-engine': make('ml-engine'),
    deployer: make('deployer'),
    'backend-api': make('backend-api'),
    'job-watcher': make('job-watcher'),
  };
}

/**
 * Replicates every image to the other region, where a restored state needs them. The rule is the registry's only one: it is the same in
 * every environment, so that those which share an account do not take it from one another.
 */
export function replicateImages(site: Site, keys: Keys): void {
  const { disasterRecoveryRegion: region, nameSuffix } = site.config;
  const name = site.name('images');
  const template = new RepositoryCreationTemplate(
    name,
    {
      prefix: `epsilon${nameSuffix}`,
      description: 'images as they are at home: tags never move, under a key of this region',
      appliedFors: ['REPLICATION'],
      imageTagMutability: 'IMMUTABLE',
      encryptionConfigurations: [{ encryptionType: 'KMS', kmsKey: keys.replica.arn }],
      lifecyclePolicy: tidy,
    },
    site.there,
  );
  new ReplicationConfiguration(
    name,
    {
      replicationConfiguration: {
        rules: [
          {
            destinations: [{ region, registryId: site.accountId }],
            repositoryFilters: [{ filter: 'epsilon', filterType: 'PREFIX_MATCH' }],
          },
        ],
      },
    },
    { ...site.here, protect: true, dependsOn: [template] },
  );
}
