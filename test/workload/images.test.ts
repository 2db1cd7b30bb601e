import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contractVersions, versionsOfLabel } from '../../lib/training/attempts/job-contract.ts';
import { imageNames } from '../../lib/training/stages.ts';

describe.each(imageNames)('image %s', (name) => {
  const dockerfile = readFileSync(`workload/${name}/Dockerfile`, 'utf8');

  it('starts its own entry point, which exists', () => {
    expect(dockerfile).toContain(`ENTRYPOINT ["node", "workload/${name}/main.ts"]`);
    expect(existsSync(`workload/${name}/main.ts`)).toBe(true);
  });

  it('says which versions of the job contract its jobs accept, as a run that begins reads it', () => {
    const [, label] = /^LABEL epsilon\.contract="(.+)"$/m.exec(dockerfile) ?? [];
    expect(versionsOfLabel(label ?? 'none')).toEqual(contractVersions);
  });

  it('has a base that only a digest can name, runs as nobody, and copies only what is there', () => {
    expect(dockerfile.match(/^FROM (\S+)/gm)).toEqual(['FROM ${NODE_IMAGE}', 'FROM ${NODE_IMAGE}']);
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE$/m);
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    for (const [, sources] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const source of (sources ?? '').split(' ')) expect(existsSync(source), source).toBe(true);
    }
  });
});
