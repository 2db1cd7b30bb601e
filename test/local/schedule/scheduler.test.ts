import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import type { ServiceSchedule } from '../../../local/declaration/declarations.ts';
import { jsonLog } from '../../../local/log.ts';
import { Scheduler, type SchedulerOptions } from '../../../local/schedule/scheduler.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const nightly: ServiceSchedule = {
  name: 'nightly',
  expression: 'cron(0 2 * * ? *)',
  timezone: 'UTC',
  enabled: true,
  input: '{"scheduledTime":"<aws.scheduler.scheduled-time>","attempt":<aws.scheduler.attempt-number>}',
  target: { kind: 'machine', key: 'nightly-training' },
  maximumEventAgeSeconds: 86_400,
  maximumRetryAttempts: 185,
};

interface Delivered {
  readonly name: string;
  readonly input: unknown;
  readonly scheduledTime: string;
  readonly at: string;
}

/** A scheduler at 2026-11-24T00:00Z with what it delivered and gave up. */
function bench({
  schedule = {},
  clock = new VirtualClock(Date.parse('2026-11-24T00:00:00Z')),
  cursors = new Map<string, string>(),
  answer = () => Promise.resolve(),
  options = {},
}: {
  schedule?: Partial<ServiceSchedule>;
  clock?: VirtualClock;
  cursors?: Map<string, string>;
  answer?: (delivered: Delivered) => Promise<void>;
  options?: Partial<SchedulerOptions>;
} = {}) {
  const delivered: Delivered[] = [];
  const dead: { scheduledTime: string; error: string }[] = [];
  const lines: string[] = [];
  const scheduler = new Scheduler({
    schedules: [{ ...nightly, ...schedule }],
    clock,
    cursors: {
      get: async (name) => cursors.get(name),
      set: async (name, at) => void cursors.set(name, at),
      pausedSince: async (name) => cursors.get(`paused/${name}`),
      pause: async (name, at) => void cursors.set(`paused/${name}`, at),
      resume: async (name, at) => {
        cursors.set(name, at);
        cursors.delete(`paused/${name}`);
      },
    },
    log: jsonLog(clock, (line) => lines.push(line)),
    environment: 'local',
    deliver: async ({ name }, input, scheduledTime) => {
      const each = { name, input, scheduledTime, at: new Date(clock.now()).toISOString() };
      delivered.push(each);
      await answer(each);
    },
    deadLetter: (_, __, scheduledTime, error) => dead.push({ scheduledTime, error: String(error) }),
    ...options,
  });
  return { scheduler, clock, cursors, delivered, dead, lines };
}

const times = (delivered: readonly Delivered[]) =>
  delivered.map(({ scheduledTime }) => scheduledTime.slice(0, 16));

describe('a schedule that is running', () => {
  test('a schedule delivers each occurrence once, at its time, and moves the cursor', async () => {
    const { scheduler, clock, cursors, delivered } = bench();
    await scheduler.begin();
    scheduler.start();

    await clock.advance(3 * day);

    expect(times(delivered)).toEqual(['2026-11-24T02:00', '2026-11-25T02:00', '2026-11-26T02:00']);
    expect(delivered[0]?.at).toBe('2026-11-24T02:00:00.000Z');
    expect(delivered[0]?.input).toEqual({ scheduledTime: '2026-11-24T02:00:00Z', attempt: 1 });
    expect(cursors.get('nightly')).toBe('2026-11-26T02:00:00.000Z');
  });

  test('a one-time schedule is delivered and has no further occurrence', async () => {
    const { scheduler, clock, delivered } = bench({ schedule: { expression: 'at(2026-11-24T05:00:00)' } });
    await scheduler.begin();
    scheduler.start();
    await clock.advance(2 * day);
    expect(times(delivered)).toEqual(['2026-11-24T05:00']);
  });

  test('a disabled schedule does not fire, except by hand', async () => {
    const { scheduler, clock, delivered } = bench({ schedule: { enabled: false } });
    await scheduler.begin();
    scheduler.start();
    await clock.advance(3 * day);
    expect(delivered).toEqual([]);
    expect((await scheduler.list())[0]?.next).toBeUndefined();

    expect(await scheduler.fire('nightly', '2026-11-20T02:00:00.000Z')).toBe(true);
    expect(times(delivered)).toEqual(['2026-11-20T02:00']);
    expect(await scheduler.fire('weekly', '2026-11-20T02:00:00.000Z')).toBe(false);
  });

  test('a paused schedule delivers nothing, also after a restart, and on resuming only what is to come', async () => {
    const { scheduler, clock, cursors, delivered } = bench();
    await scheduler.begin();
    scheduler.start();
    await clock.advance(day);
    expect(await scheduler.setPaused('nightly', true)).toBe(true);
    await clock.advance(day);
    expect(await scheduler.list()).toMatchObject([{ paused: true, next: undefined }]);
    scheduler.close();

    const next = bench({ clock, cursors });
    await next.scheduler.begin();
    next.scheduler.start();
    await clock.advance(day);
    expect(await next.scheduler.fire('nightly', '2026-11-20T02:00:00.000Z')).toBe(true);
    expect(await next.scheduler.setPaused('nightly', true)).toBe(true);
    expect(await next.scheduler.setPaused('nightly', false)).toBe(true);
    expect(await next.scheduler.setPaused('nightly', false)).toBe(true);
    expect(await next.scheduler.setPaused('weekly', true)).toBe(false);
    await clock.advance(hour);
    expect(times([...delivered, ...next.delivered])).toEqual(['2026-11-24T02:00', '2026-11-20T02:00']);
    await clock.advance(2 * hour);
    expect(times(next.delivered)).toEqual(['2026-11-20T02:00', '2026-11-27T02:00']);
  });

  test('a schedule never overlaps itself: of what falls due meanwhile only the latest is delivered afterwards', async () => {
    const clock = new VirtualClock(Date.parse('2026-11-24T00:00:00Z'));
    const slow = () => new Promise<void>((resolve) => clock.setTimer(10 * minute + 1, resolve));
    const { scheduler, delivered } = bench({
      clock,
      schedule: { expression: 'rate(1 minute)' },
      answer: slow,
    });
    scheduler.start();
    await clock.advance(25 * minute);
    expect(times(delivered)).toEqual(['2026-11-24T00:01', '2026-11-24T00:11', '2026-11-24T00:21']);
  });

  test('a closed scheduler delivers nothing', async () => {
    const { scheduler, clock, delivered } = bench();
    scheduler.start();
    scheduler.close();
    await clock.advance(3 * day);
    expect(delivered).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('the scheduler after a time without it', () => {
  test('F43: after three nights down, only the latest occurrence is delivered, at once', async () => {
    const cursors = new Map([['nightly', '2026-11-21T02:00:00.000Z']]);
    const { scheduler, clock, delivered } = bench({
      cursors,
      clock: new VirtualClock(Date.parse('2026-11-24T09:00:00Z')),
    });
    await scheduler.begin();
    scheduler.start();
    await clock.advance(hour);
    expect(times(delivered)).toEqual(['2026-11-24T02:00']);
    expect(delivered[0]?.at).toBe('2026-11-24T09:00:00.000Z');
  });

  test('an occurrence older than the maximum event age is skipped', async () => {
    const cursors = new Map([['nightly', '2026-11-21T02:00:00.000Z']]);
    const clock = new VirtualClock(Date.parse('2026-11-24T09:00:00Z'));
    const { scheduler, delivered } = bench({ cursors, clock, schedule: { maximumEventAgeSeconds: 3600 } });
    scheduler.start();
    await clock.advance(hour);
    expect(delivered).toEqual([]);
    expect(cursors.get('nightly')).toBe('2026-11-24T02:00:00.000Z');
  });

  test('a new schedule begins with its next occurrence', async () => {
    const clock = new VirtualClock(Date.parse('2026-11-24T09:00:00Z'));
    const { scheduler, delivered } = bench({ clock });
    await scheduler.begin();
    scheduler.start();
    await clock.advance(day);
    expect(times(delivered)).toEqual(['2026-11-25T02:00']);
  });

  test('an occurrence is delivered again after a crash between delivery and cursor: at least once', async () => {
    const { scheduler, clock, delivered, cursors } = bench({
      options: {
        cursors: {
          get: async () => '2026-11-23T02:00:00.000Z',
          set: () => Promise.reject(new Error('disk full')),
          pausedSince: async () => undefined,
          pause: async () => {},
          resume: async () => {},
        },
      },
      clock: new VirtualClock(Date.parse('2026-11-24T02:00:30Z')),
    });
    scheduler.start();
    await clock.advance(minute);
    expect(times(delivered)).toEqual(['2026-11-24T02:00', '2026-11-24T02:00']);
    expect(cursors.size).toBe(0);
  });

  test('F42: a clock put back ten minutes delivers nothing twice', async () => {
    const cursors = new Map([['nightly', '2026-11-24T02:00:00.000Z']]);
    const { scheduler, clock, delivered } = bench({
      cursors,
      clock: new VirtualClock(Date.parse('2026-11-24T01:50:00Z')),
    });
    scheduler.start();
    await clock.advance(day);
    expect(times(delivered)).toEqual([]);
    await clock.advance(hour);
    expect(times(delivered)).toEqual(['2026-11-25T02:00']);
  });

  test('F42: a cursor that a wrong clock set a year ahead does not silence the schedule', async () => {
    const cursors = new Map([['nightly', '2027-11-24T02:00:00.000Z']]);
    const { scheduler, clock, delivered, lines } = bench({ cursors });
    scheduler.start();
    await clock.advance(day);
    expect(times(delivered)).toEqual(['2026-11-24T02:00']);
    expect(lines.join('')).toContain('schedule cursor is in the future');
  });
});

describe('a target that does not accept', () => {
  test('a refused delivery is retried with doubling pauses, and carries the number of the try', async () => {
    let left = 3;
    const { scheduler, clock, delivered, dead, cursors } = bench({
      answer: () => (left-- > 0 ? Promise.reject(new Error('busy')) : Promise.resolve()),
    });
    scheduler.start();
    await clock.advance(3 * hour);
    expect(delivered.map(({ at }) => at.slice(11, 19))).toEqual([
      '02:00:00',
      '02:00:01',
      '02:00:03',
      '02:00:07',
    ]);
    expect(delivered.map(({ input }) => (input as { attempt: number }).attempt)).toEqual([1, 2, 3, 4]);
    expect(dead).toEqual([]);
    expect(cursors.get('nightly')).toBe('2026-11-24T02:00:00.000Z');
  });

  test.each([
    ['the tries are spent', { maximumRetryAttempts: 2 }, 3],
    ['no retry is declared', { maximumRetryAttempts: 0 }, 1],
    ['the event would be too old', { maximumEventAgeSeconds: 60 }, 6],
  ])('a delivery goes to the dead letters when %s', async (_, schedule, tries) => {
    const { scheduler, clock, delivered, dead } = bench({
      schedule,
      answer: () => Promise.reject(new Error('refused')),
    });
    scheduler.start();
    await clock.advance(3 * hour);
    expect(delivered).toHaveLength(tries);
    expect(dead).toEqual([{ scheduledTime: '2026-11-24T02:00:00.000Z', error: 'Error: refused' }]);
    await clock.advance(hour);
    expect(dead).toHaveLength(1);
  });

  test('closing between two tries keeps the occurrence for the next start', async () => {
    const cursors = new Map([['nightly', '2026-11-23T02:00:00.000Z']]);
    const clock = new VirtualClock(Date.parse('2026-11-24T02:00:00Z'));
    const first = bench({ cursors, clock, answer: () => Promise.reject(new Error('busy')) });
    first.scheduler.start();
    await clock.advance(2_000);
    first.scheduler.close();
    await clock.advance(minute);
    expect(cursors.get('nightly')).toBe('2026-11-23T02:00:00.000Z');
    expect(clock.pending).toBe(0);

    const second = bench({ cursors, clock });
    second.scheduler.start();
    await clock.advance(minute);
    expect(times(second.delivered)).toEqual(['2026-11-24T02:00']);
  });
});
