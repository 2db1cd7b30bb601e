import { ConditionFailed } from '../../errors/store-errors.ts';
import type { ReleaseRecords } from '../../ports/release/release-records.ts';
import { absent, any, compare } from './expressions.ts';
import { releaseKey, releasesPartition, releaseTurn } from './keys.ts';
import { releaseForm } from './records.ts';
import { keptDays } from './schema.ts';
import type { SealedTokens } from './sealed-tokens.ts';
import { partitionIs, type Table } from './table.ts';

const daySeconds = 86_400;

/** What a sealed token of a release is bound to. */
const sealedFor = (releaseId: string) => `release/${releaseId}` as const;

/** Releases in the table, all in one partition, and whose turn it is. */
export function tableReleaseRecords(table: Table, tokens: SealedTokens): ReleaseRecords {
  return {
    get: async (releaseId) => {
      const item = await table.get(releaseKey(releaseId));
      if (!item) return undefined;
      const { sealedToken } = item;
      return { ...releaseForm.read(item), ...(typeof sealedToken === 'string' ? { sealedToken } : {}) };
    },
    list: async () => {
      const items = await table.query({ partition: partitionIs(releasesPartition) });
      return items
        .filter(({ sk }) => sk !== releaseTurn.sk)
        .map((item) => releaseForm.read(item))
        .toSorted((one, other) => (one.startedAt < other.startedAt ? 1 : -1));
    },
    put: async ({ sealedToken, ...release }, expected) => {
      const { releaseId, startedAt } = release;
      const ttl = Math.floor(Date.parse(startedAt) / 1000) + keptDays.release * daySeconds;
      const written = releaseForm.write({ ...release, version: expected + 1 });
      const condition = expected === 0 ? absent('pk') : compare('version', '=', expected);
      const { done, item } = await table.put(
        { ...releaseKey(releaseId), ...written, ...(sealedToken === undefined ? {} : { sealedToken }), ttl },
        condition,
      );
      if (done) return;
      const found = Number(item?.['version'] ?? 0);
      throw new ConditionFailed(`release ${releaseId} is at version ${found}, not ${expected}`, {
        found,
        expected,
      });
    },
    seal: async (releaseId, taskToken) => (await tokens.seal(taskToken, sealedFor(releaseId))).sealedToken,
    open: ({ releaseId, sealedToken }) => tokens.open({ sealedToken }, sealedFor(releaseId)),
    begin: async ({ releaseId, instead }) => {
      const free = any(
        absent('pk'),
        compare('releaseId', '=', releaseId),
        ...(instead === undefined ? [] : [compare('releaseId', '=', instead)]),
      );
      const { done, item } = await table.put({ ...releaseTurn, releaseId }, free);
      return done ? releaseId : String(item?.['releaseId']);
    },
    end: async (releaseId) => {
      await table.remove(releaseTurn, compare('releaseId', '=', releaseId));
    },
  };
}
