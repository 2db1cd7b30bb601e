import { describe, expect, it } from 'vitest';
import { type Manifest, manifestText, parseList, parseManifest } from '../../../lib/backup/manifest.ts';
import { keyFinder } from '../../../lib/backup/pointers.ts';
import { choosePoints, type Point, type Wanted } from '../../../lib/backup/points.ts';
import { fenceFloor } from '../../../lib/backup/recovery.ts';
import { backupSettings } from '../../../lib/backup/settings.ts';
import { approvalDigest, judgeFindings } from '../../../lib/backup/verification.ts';
import { aManifest, findingsOf, pointAt } from './manifests.ts';

const now = Date.parse('2026-11-26T12:00:00Z');
const points = ['10:00', '11:00', '11:30'].map((time, index) => pointAt(index, `2026-11-26T${time}:00.000Z`));
const chosen = (wanted: Wanted, from: readonly Point[] = points) =>
  choosePoints(from, wanted, now).map(({ takenAt }) => takenAt.slice(11, 16));
const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
  return 'no error';
};

describe('the point of a restore', () => {
  it('is the newest one that is not after the instant, and older ones follow it', () => {
    expect(chosen({ to: '2026-11-26T11:15:00Z' })).toEqual(['11:00', '10:00']);
    expect(chosen({ to: '2026-11-26T12:00:00+01:00' })).toEqual(['11:00', '10:00']);
    expect(chosen({ to: 'newest' })).toEqual(['11:30', '11:00', '10:00']);
  });

  it('stands alone when it is named by its id, in whatever case', () => {
    const id = points[1]?.id ?? '';
    expect(chosen({ id })).toEqual(['11:00']);
    expect(chosen({ id: id.toLowerCase() })).toEqual(['11:00']);
  });

  it.each([
    ['in the future', '2026-11-26T12:00:01Z'],
    ['before the oldest point', '2026-11-26T09:59:59Z'],
    ['after the newest point', '2026-11-26T11:59:00Z'],
  ])('B18: %s is refused with both bounds', (why, to) => {
    const said = codeOf(() => chosen({ to }));
    expect(said).toContain(`RESTORE_POINT_OUT_OF_RANGE: --to ${to} is ${why}`);
    expect(said).toContain('2026-11-26T10:00:00.000Z to 2026-11-26T11:30:00.000Z');
  });

  it.each([
    '2026-11-26T11:00:00',
    '2026-11-26',
    'yesterday',
    '2026-11-31T99:00:00Z',
    '2026-11-31T11:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-02-00T00:00:00Z',
    '',
  ])('B18: an instant without a zone, or that does not exist (%s), is refused with both bounds', (to) => {
    const said = codeOf(() => chosen({ to }));
    expect(said).toContain(`RESTORE_TIME_INVALID: --to ${to} is not`);
    expect(said).toContain('from 2026-11-26T10:00:00.000Z to 2026-11-26T11:30:00.000Z');
  });

  it('may be on the last day of February in a leap year', () => {
    const leap = pointAt(9, '2024-02-29T11:00:00.000Z');
    expect(chosen({ to: '2024-02-29T11:00:00Z' }, [leap])).toEqual(['11:00']);
  });

  it('is refused where there is none, or none that can be read', () => {
    expect(codeOf(() => chosen({ to: 'newest' }, []))).toContain('BACKUP_NOT_FOUND');
    expect(codeOf(() => chosen({ to: 'newest' }, [{ id: 'X', fault: 'damaged' }]))).toContain(
      '1 cannot be read',
    );
    expect(codeOf(() => chosen({ id: 'nobody' }))).toContain('BACKUP_NOT_FOUND');
  });
});

describe('a manifest', () => {
  it('comes back as it was written, and no other way', () => {
    const text = manifestText(aManifest());
    expect(parseManifest(text, 'point')).toEqual(aManifest());
    for (const damaged of [
      '',
      text.slice(0, -40),
      text.replace('"epoch":0', '"epoch":1'),
      '{"manifest":{}}',
      'null',
    ])
      expect(
        codeOf(() => parseManifest(damaged, 'point')),
        damaged,
      ).toContain('BACKUP_CORRUPT: point');
  });
});

describe('a list of objects', () => {
  const line = (key: string) => JSON.stringify({ key, stamp: 's', bytes: 1, sha256: 'a'.repeat(64) });

  it('comes back as it was written', () => {
    expect(parseList(`${line('bucket/acme/a.txt')}\n`, 'p')).toMatchObject([{ key: 'bucket/acme/a.txt' }]);
    expect(parseList('', 'p')).toEqual([]);
  });

  it.each(['../outside', 'bucket/../../outside', '/etc/passwd', 'bucket//x', './x', 'bucket/x\0', ''])(
    'is refused for a key that leads out of the folder of objects: %j',
    (key) => {
      expect(codeOf(() => parseList(line(key), 'p'))).toContain('BACKUP_CORRUPT');
    },
  );

  it.each(['{', '[]', '{"key":"a"}', 'null'])('is refused for the line %s', (text) => {
    expect(codeOf(() => parseList(text, 'p'))).toContain('BACKUP_CORRUPT');
  });
});

describe('settings of backups', () => {
  it('have defaults by which at most five minutes are lost', () => {
    expect(backupSettings(undefined)).toMatchObject({ everyMinutes: 4, rpoMinutes: 5, keepDays: 7 });
    expect(backupSettings({ everyMinutes: 'off' }).everyMinutes).toBe('off');
  });

  it.each([
    ['B16', { keepDays: 0 }, 'RETENTION_RANGE'],
    ['B16', { keepDays: 4_000 }, 'RETENTION_RANGE'],
    ['B17', { everyMinutes: 30 }, 'RPO_UNREACHABLE: A backup every 30 minutes can lose 30 minutes'],
    ['B17', { rpoMinutes: 1 }, 'RPO_UNREACHABLE'],
    ['an unknown key', { keepWeeks: 1 }, 'CONFIG_INVALID: Setting backup.keepWeeks is not known'],
    ['an interval of none', { everyMinutes: 0 }, 'CONFIG_INVALID'],
    ['no table', 'often', 'CONFIG_INVALID'],
  ])('%s: %j is refused', (_, given, said) => {
    expect(codeOf(() => backupSettings(given))).toContain(said);
  });
});

describe('the verification of a point', () => {
  const manifest = aManifest();
  const faultsOf = (over: Parameters<typeof findingsOf>[1], of: Manifest = manifest) =>
    judgeFindings(of, findingsOf(of, over)).faults;

  it('finds no fault where everything is as recorded, and counts what it read', () => {
    const verification = judgeFindings(manifest, findingsOf(manifest, {}));
    expect(verification).toMatchObject({ faults: [], objects: 2, bytesRead: 1_200, pointers: 1 });
    expect(verification.rows).toBeGreaterThan(0);
  });

  it('fails when it checked nothing', () => {
    const nothing = {
      databases: [],
      objects: 0,
      bytesRead: 0,
      pointers: 0,
      objectFaults: [],
      danglingPointers: [],
    };
    const empty = {
      ...manifest,
      databases: [],
      objects: { ...manifest.objects, count: 0 },
      pointers: { count: 0, dangling: [] },
    };
    expect(judgeFindings(empty, nothing).faults).toContain('nothing was checked');
    expect(judgeFindings(empty, nothing).faults).toContain('the point has no store.db');
  });

  it('F35: fails for a database without bytes, without a table, or with other rows than recorded', () => {
    expect(faultsOf({ database: { tables: {} } })[0]).toContain('store.db lacks tenants, runs');
    const { live: _, ...others } = findingsOf(manifest, {}).databases[1]?.tables ?? {};
    expect(faultsOf({ database: { tables: others } })[0]).toContain('store.db lacks live');
    expect(faultsOf({ database: { tables: { ...others, live: 7 } } })).toEqual([
      'store.db, live: 7 rows, 1 expected',
    ]);
    expect(faultsOf({ database: { sha256: 'f'.repeat(64) } })).toEqual([
      'store.db does not match its checksum',
    ]);
    expect(faultsOf({ database: { damage: 'row 3 missing from index' } })).toEqual([
      'store.db: row 3 missing from index',
    ]);
  });

  it('F41: fails when a model record names an object that is not there, unless the source itself lacked it', () => {
    const dangling = { danglingPointers: ['bucket/acme/model.bin'] };
    expect(faultsOf(dangling)).toEqual([
      'a model record names bucket/acme/model.bin, where nothing readable is',
    ]);
    const lacking = { ...manifest, pointers: { count: 1, dangling: ['bucket/acme/model.bin'] } };
    const { faults, warnings } = judgeFindings(lacking, findingsOf(lacking, dangling));
    expect([faults, warnings]).toEqual([
      [],
      ['a model record names bucket/acme/model.bin, where nothing readable is'],
    ]);
  });

  it('is approved for one point, one target and what was found, and nothing else', () => {
    const found = judgeFindings(manifest, findingsOf(manifest, {}));
    const digest = approvalDigest(manifest, '/a', found);
    expect(approvalDigest(manifest, '/a', found)).toBe(digest);
    const others = [
      approvalDigest(manifest, '/b', found),
      approvalDigest({ ...manifest, epoch: 1 }, '/a', found),
      approvalDigest(manifest, '/a', { ...found, rows: 1 }),
    ];
    expect(new Set([digest, ...others]).size).toBe(4);
  });
});

describe('the base of a restore', () => {
  it('fences of a later epoch are above all of an earlier one, and exact numbers', () => {
    expect(fenceFloor(0)).toBe(0);
    expect(fenceFloor(1)).toBeGreaterThan(1_000_000_000);
    expect(Number.isSafeInteger(fenceFloor(1_000_000))).toBe(true);
  });

  it('keys are found exactly, and prefixes by any key below them', () => {
    const isThere = keyFinder(['b/a/x', 'b/a-b/y', 'b/tenant10/z']);
    expect(['b/a/x', 'b/a/', 'b/', 'b/tenant10/'].map(isThere)).toEqual([true, true, true, true]);
    expect(['b/a', 'b/a/y', 'b/tenant1/', 'c/', ''].map(isThere)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
