import { LifecyclePolicy } from '@pulumi/aws/ecr/lifecyclePolicy.js';
import { Repository } from '@pulumi/aws/ecr/repository.js';
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
