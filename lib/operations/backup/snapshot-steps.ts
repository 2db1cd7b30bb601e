import { judgeSnapshot } from '../../backup/cloud/resources.ts';
import { RecoveryFailed } from '../../errors/recovery-errors.ts';
import type { DatabaseService, Databases } from '../../ports/backup/database-service.ts';
import type { Step } from './hold-step.ts';

/** What is waited for of a snapshot: the snapshot itself, or its copy in the other region. */
export type SnapshotPart = 'snapshot' | 'copy';

/** Identifier of a snapshot for who waits for it. */
function snapshotResource({ region }: Pick<DatabaseService, 'region'>, id: string): string {
  return `${region}/snapshot/${id}`;
}

/** A snapshot that failed is in the way of the next try, which has the same id. */
async function lookAt(service: DatabaseService, id: string) {
  const verdict = judgeSnapshot(await service.snapshot(id));
  if (verdict.state === 'failed') await service.removeSnapshot(id);
  return verdict;
}

/** The day's snapshot, or its copy. `tags` are what they carry. */
export function snapshotStep(
  { id: instance, home, there, keyArn }: Databases,
  {
    part,
    id,
    tags,
  }: { readonly part: SnapshotPart; readonly id: string; readonly tags: Readonly<Record<string, string>> },
): Step {
  if (part === 'snapshot')
    return {
      resource: snapshotResource(home, id),
      look: () => lookAt(home, id),
      begin: () => home.takeSnapshot({ instance, id, tags }),
    };
  return {
    resource: snapshotResource(there, id),
    look: () => lookAt(there, id),
    begin: async () => {
      const source = await home.snapshot(id);
      if (!source)
        throw new RecoveryFailed(`snapshot ${id} is gone from ${home.region} before it was copied`);
      await there.copySnapshot({ from: source.arn, id, keyArn, tags });
    },
  };
}
