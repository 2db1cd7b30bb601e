import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { imagesFileOf, releasedStageImages } from '../../lib/config/released-images.ts';
import { releaseEnvironments } from '../../lib/release/release.ts';

/** Folders from which something is built, deployed or run. */
const folders = [
  '.github',
  'infra',
  'serving',
  'watcher',
  'workload',
  'statemachines',
  'lib',
  'functions',
  'cli',
  'local',
];

const digest = /sha256:[0-9a-f]{64}/;

it('names of images by digest are in one file of each environment, and nowhere else', () => {
  const files = [
    'serverless.yml',
    ...folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.includes('__pycache__'))
        .map((entry) => join(entry.parentPath, entry.name)),
    ),
  ];
  expect(files.length).toBeGreaterThan(600);
  const places = releaseEnvironments.map(imagesFileOf);
  for (const place of places) expect(files).toContain(place);
  const others = files.filter((file) => !places.includes(file) && digest.test(readFileSync(file, 'latin1')));
  expect(others).toEqual([]);
});

it('a file that is not as a release writes it is refused by its place', () => {
  const image = { name: 'stage-deployer', newName: 'registry/deployer', digest: 'latest' };
  expect(() => releasedStageImages('staging', { images: [image] })).toThrow(
    expect.objectContaining({
      code: 'IMAGES_INVALID',
      message: expect.stringContaining(`${imagesFileOf('staging')}: images.0.digest`),
    }),
  );
  expect(releasedStageImages('staging', {})).toEqual({});
});
