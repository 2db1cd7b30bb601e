import { describe, expect, it } from 'vitest';
import { refuseForeignSchema } from '../../../../lib/backup/cloud/records-schema.ts';
import { chooseMoment, type ReachThere } from '../../../../lib/backup/cloud/restore-plan.ts';

const now = Date.parse('2026-11-26T12:00:00Z');
const reach: ReachThere = {
  database: {
    arn: 'arn:db',
    status: 'active',
    oldest: '2026-11-19T00:00:00.000Z',
    newest: '2026-11-26T11:30:00.000Z',
  },
  table: {
    arn: 'arn:table',
    status: 'ENABLED',
    oldest: '2026-10-22T00:00:00.000Z',
    newest: '2026-11-26T11:55:00.000Z',
  },
  objectsFrom: '2026-10-21T12:00:00.000Z',
};
const refused = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error as { readonly code: string; readonly message: string; readonly details: object };
  }
  throw new Error('nothing was refused');
};

describe('the moment of a restore on AWS', () => {
  it('is the newest that every store has, or the named one', () => {
    expect(chooseMoment('newest', reach, now)).toBe('2026-11-26T11:30:00.000Z');
    expect(chooseMoment('2026-11-20T01:00:00+01:00', reach, now)).toBe('2026-11-20T00:00:00.000Z');
  });

  it.each([
    ['in the future', '2026-11-26T12:00:01Z', 'in the future'],
    ['before the first moment', '2026-11-18T23:59:59Z', 'before the oldest moment'],
    ['after the newest moment', '2026-11-26T11:31:00Z', 'after the newest moment'],
  ])('B18: %s is refused, with both bounds', (_, to, why) => {
    const { code, message, details } = refused(() => chooseMoment(to, reach, now));
    expect({ code, details }).toEqual({
      code: 'RESTORE_POINT_OUT_OF_RANGE',
      details: { oldest: '2026-11-19T00:00:00.000Z', newest: '2026-11-26T11:30:00.000Z' },
    });
    expect(message).toContain(why);
    expect(message).toContain('from 2026-11-19T00:00:00.000Z to 2026-11-26T11:30:00.000Z');
  });

  it('older than the objects that are kept is refused, however far the stores reach', () => {
    const kept = { ...reach, objectsFrom: '2026-11-21T00:00:00.000Z' };
    const { code, message, details } = refused(() => chooseMoment('2026-11-20T00:00:00Z', kept, now));
    expect({ code, details }).toEqual({
      code: 'RESTORE_POINT_OUT_OF_RANGE',
      details: { oldest: '2026-11-21T00:00:00.000Z', newest: '2026-11-26T11:30:00.000Z' },
    });
    expect(message).toContain('older than the objects that are kept');
  });

  it.each(['2026-11-26T11:00:00', '2026-02-30T00:00:00Z', 'yesterday'])(
    'B18: %s has no zone or does not exist, and is refused with both bounds',
    (to) => {
      expect(refused(() => chooseMoment(to, reach, now))).toMatchObject({
        code: 'RESTORE_TIME_INVALID',
        message: expect.stringContaining('from 2026-11-19T00:00:00.000Z to 2026-11-26T11:30:00.000Z'),
        details: { oldest: '2026-11-19T00:00:00.000Z' },
      });
    },
  );

  it('is none where no moment is common to all stores, and a time without zone is still called so', () => {
    const none = { ...reach, table: undefined };
    expect(refused(() => chooseMoment('newest', none, now)).code).toBe('BACKUP_NOT_FOUND');
    expect(refused(() => chooseMoment('2026-11-26', none, now)).code).toBe('RESTORE_TIME_INVALID');
  });
});

describe('the shape of the records at that moment', () => {
  const newest = '2026-11-26T11:30:00.000Z';
  const pointAt = (hour: string, schema?: { version: number; readableFrom: number }) => ({
    id: `2026-11-26T${hour}:00.000Z`,
    ...(schema && { schema }),
  });
  // Of shape 1 at first, which points did not say; then 2, which adds; then 3, which the code of 2 does not understand.
  const points = [
    pointAt('11:00', { version: 3, readableFrom: 3 }),
    pointAt('10:00', { version: 2, readableFrom: 1 }),
    pointAt('09:00'),
  ];
  const at = (hour: string) => `2026-11-26T${hour}:00.000Z`;
  const check = (moment: string, known: { version: number; readableFrom: number; reads: number }) =>
    refuseForeignSchema(moment, newest, points, known);

  it.each([
    ['09:30', { version: 1, readableFrom: 1, reads: 1 }],
    ['10:30', { version: 1, readableFrom: 1, reads: 1 }],
    ['11:00', { version: 3, readableFrom: 3, reads: 2 }],
    ['10:00', { version: 3, readableFrom: 3, reads: 2 }],
  ])('at %s is one that code of %j reads', (hour, known) => {
    expect(() => check(at(hour), known)).not.toThrow();
  });

  it.each(['09:59', '08:00'])(
    'before the newest change that the code needs (%s) is refused, with both bounds',
    (hour) => {
      const { code, message, details } = refused(() =>
        check(at(hour), { version: 3, readableFrom: 3, reads: 2 }),
      );
      expect({ code, details }).toEqual({
        code: 'RESTORE_SCHEMA_OLDER',
        details: { oldest: at('10:00'), newest, version: 1, reads: 2 },
      });
      expect(message).toContain(`from ${at('10:00')} to ${newest}`);
    },
  );

  it('that only later code understands is refused: its release comes first', () => {
    expect(refused(() => check(at('11:00'), { version: 2, readableFrom: 1, reads: 1 }))).toMatchObject({
      code: 'RESTORE_SCHEMA_NEWER',
      details: { version: 3, readableFrom: 3, knows: 2 },
    });
  });
});
