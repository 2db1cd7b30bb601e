import { describe, expect, test } from 'vitest';
import { type BusEvent, EventBus, type EventBusOptions } from '../../../local/bus/bus.ts';
import { putEvents } from '../../../local/bus/put-events.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import type { RuleTarget, ServiceRule, TargetRef } from '../../../local/declaration/declarations.ts';
import { jsonLog } from '../../../local/log.ts';
import { sequentialIds } from '../../fixtures/sequential-ids.ts';

const minute = 60_000;

const completeJob: RuleTarget = {
  kind: 'function',
  key: 'completeJob',
  maximumEventAgeSeconds: 3600,
  maximumRetryAttempts: 3,
};

const rule = (changes: Partial<ServiceRule> = {}): ServiceRule => ({
  name: 'Jobs',
  pattern: { source: ['epsilon.jobs'] },
  enabled: true,
  targets: [completeJob],
  ...changes,
});

const entry = (detail: unknown = { run: 'r-1' }) => ({
  source: 'epsilon.jobs',
  detailType: 'Job State Change',
  detail,
});

function bench(options: Partial<EventBusOptions> = {}) {
  const clock = new VirtualClock(Date.parse('2026-11-24T02:00:00Z'));
  const delivered: { target: TargetRef; event: BusEvent; input: unknown; at: number }[] = [];
  const dead: { target: TargetRef; error: string }[] = [];
  const lines: string[] = [];
  const { deliver = async () => {}, ...others } = options;
  const bus = new EventBus({
    rules: [rule()],
    clock,
    ids: sequentialIds(),
    log: jsonLog(clock, (line) => lines.push(line)),
    deliver: async (target, event, input) => {
      delivered.push({ target, event, input, at: clock.now() - Date.parse('2026-11-24T02:00:00Z') });
      await deliver(target, event, input);
    },
    deadLetter: (_, target, error) => dead.push({ target, error: String(error) }),
    ...others,
  });
  return { bus, clock, delivered, dead, lines };
}

const refuse = () => Promise.reject(new Error('refused'));

describe('an event on the bus', () => {
  test('an event reaches every target of every matching rule, in its envelope', async () => {
    const startRun: RuleTarget = { ...completeJob, kind: 'machine', key: 'repair', input: '{"fixed":true}' };
    const { bus, clock, delivered } = bench({
      rules: [
        rule({ targets: [completeJob, startRun] }),
        rule({ name: 'Other', pattern: { source: ['aws.batch'] } }),
        rule({ name: 'Off', enabled: false }),
      ],
    });
    const [result] = bus.put([{ ...entry(), resources: ['arn:job'] }]);
    expect(delivered).toEqual([]);
    await clock.advance(0);

    expect(delivered.map(({ target }) => target)).toEqual([
      { kind: 'function', key: 'completeJob' },
      { kind: 'machine', key: 'repair' },
    ]);
    expect(delivered.map(({ input }) => input)).toEqual([delivered[0]?.event, { fixed: true }]);
    expect(delivered[0]?.event).toEqual({
      version: '0',
      id: result?.id,
      source: 'epsilon.jobs',
      'detail-type': 'Job State Change',
      account: '000000000000',
      region: 'local',
      time: '2026-11-24T02:00:00.000Z',
      resources: ['arn:job'],
      detail: { run: 'r-1' },
    });
  });

  test('an event is archived once, also when no rule matches', () => {
    const archived: BusEvent[] = [];
    const { bus } = bench({ rules: [], archive: (event) => archived.push(event) });
    bus.put([entry(), { ...entry(), source: '' }]);
    expect(archived.map(({ detail }) => detail)).toEqual([{ run: 'r-1' }]);
  });

  test('an event on the bus is a copy: later changes by the sender are not seen', async () => {
    const detail = { run: 'r-1' };
    const { bus, clock, delivered } = bench();
    bus.put([entry(detail)]);
    detail.run = 'changed';
    await clock.advance(0);
    expect(delivered[0]?.event.detail).toEqual({ run: 'r-1' });
  });
});

describe('a target that does not accept', () => {
  test('a refused delivery is retried with doubling pauses, as its retry policy says, then dead-lettered', async () => {
    const { bus, clock, delivered, dead } = bench({ deliver: refuse });
    bus.put([entry()]);
    await clock.advance(minute);
    expect(delivered.map(({ at }) => at)).toEqual([0, 200, 600, 1400]);
    expect(dead).toEqual([{ target: { kind: 'function', key: 'completeJob' }, error: 'Error: refused' }]);
  });

  test('a delivery is given up when the event would be too old', async () => {
    const target = { ...completeJob, maximumRetryAttempts: 185, maximumEventAgeSeconds: 60 };
    const { bus, clock, delivered, dead } = bench({ rules: [rule({ targets: [target] })], deliver: refuse });
    bus.put([entry()]);
    await clock.advance(10 * minute);
    expect(delivered.at(-1)?.at).toBeLessThanOrEqual(minute);
    expect(dead).toHaveLength(1);
  });

  test('a target that refuses does not disturb the others', async () => {
    const other: RuleTarget = { ...completeJob, key: 'other' };
    const { bus, clock, delivered, dead } = bench({
      rules: [rule({ targets: [completeJob, other] })],
      deliver: ({ key }) => (key === 'completeJob' ? refuse() : Promise.resolve()),
    });
    bus.put([entry()]);
    await clock.advance(minute);
    expect(delivered.filter(({ target }) => target.key === 'other')).toHaveLength(1);
    expect(dead.map(({ target }) => target.key)).toEqual(['completeJob']);
  });

  test('a target that throws synchronously is treated like one that rejects', async () => {
    const { bus, clock, dead } = bench({
      deliver: () => {
        throw new Error('at once');
      },
    });
    bus.put([entry()]);
    await clock.advance(minute);
    expect(dead.map(({ error }) => error)).toEqual(['Error: at once']);
  });
});

describe('the closing bus', () => {
  test('closing the bus moves waiting retries to the dead letters and leaves no timer', async () => {
    const { bus, clock, dead } = bench({ deliver: refuse });
    bus.put([entry()]);
    await clock.advance(100);
    await bus.close();
    expect(dead).toHaveLength(1);
    expect(clock.pending).toBe(0);
    await clock.advance(minute);
    expect(dead).toHaveLength(1);
  });

  test('closing the bus waits for deliveries under way', async () => {
    const gate = Promise.withResolvers<void>();
    const { bus, clock } = bench({ deliver: () => gate.promise });
    bus.put([entry()]);
    await clock.advance(0);
    expect(bus.underWay).toBe(1);
    let closed = false;
    const closing = bus.close().then(() => {
      closed = true;
    });
    await clock.advance(0);
    expect(closed).toBe(false);
    gate.resolve();
    await closing;
    expect(bus.underWay).toBe(0);
  });
});

describe('a loop', () => {
  test('a loop of events that cause each other is cut and logged', async () => {
    const held: { bus?: EventBus } = {};
    const refused: unknown[] = [];
    const { bus, clock, delivered, lines } = bench({
      deliver: async () => {
        refused.push(...(held.bus?.put([entry()]) ?? []).flatMap(({ error }) => error ?? []));
      },
    });
    held.bus = bus;
    bus.put([entry()]);
    await clock.advance(minute);
    expect(delivered).toHaveLength(16);
    expect(refused).toEqual(['EVENT_LOOP']);
    expect(lines.join('')).toContain('EVENT_LOOP');
  });

  test('an event after a delivery has ended is no loop', async () => {
    const held: { bus?: EventBus } = {};
    let left = 100;
    const { bus, clock, delivered } = bench({
      deliver: async () => {
        left -= 1;
        if (left > 0) clock.setTimer(minute, () => held.bus?.put([entry()]));
      },
    });
    held.bus = bus;
    bus.put([entry()]);
    await clock.advance(200 * minute);
    expect(delivered).toHaveLength(100);
  });
});

describe('an entry that is refused, by itself', () => {
  const deep = () => {
    let value: unknown = 1;
    for (let level = 0; level < 10_000; level += 1) value = { value };
    return value;
  };

  test.each([
    ['no source', { ...entry(), source: '' }, 'EVENT_SCHEMA', '/source'],
    ['no detail type', { ...entry(), detailType: undefined }, 'EVENT_SCHEMA', '/detail-type'],
    ['detail that is null', entry(null), 'EVENT_SCHEMA', '/detail'],
    ['detail that is missing', { ...entry(), detail: undefined }, 'EVENT_SCHEMA', '/detail'],
    ['detail that is a list', entry([]), 'EVENT_SCHEMA', '/detail'],
    ['a time that is none', { ...entry(), time: 'soon' }, 'EVENT_SCHEMA', '/time'],
    ['a resource that is no text', { ...entry(), resources: ['a', 1] }, 'EVENT_SCHEMA', '/resources/1'],
    [
      'a key that would change prototypes',
      entry(JSON.parse('{"a/b":[{"__proto__":{"admin":true}}]}')),
      'EVENT_SCHEMA',
      '/detail/a~1b/0/__proto__',
    ],
    ['a number JSON does not have', entry({ x: Number.NaN }), 'EVENT_SCHEMA', '/detail/x'],
    ['a big integer', entry({ x: 1n }), 'EVENT_SCHEMA', '/detail/x'],
    ['more than 256 KiB', entry({ x: 'a'.repeat(262_144) }), 'EVENT_TOO_LARGE', 'bytes'],
    ['256 KiB of characters of two bytes', entry({ x: 'ä'.repeat(140_000) }), 'EVENT_TOO_LARGE', 'bytes'],
    ['10,000 levels', entry(deep()), 'EVENT_TOO_LARGE', 'deeper'],
    ['no entry', null, 'EVENT_SCHEMA', 'object'],
  ])('%s', async (_, bad, code, word) => {
    const { bus, clock, delivered } = bench();
    const results = bus.put([bad as never, entry()]);
    expect(results[0]?.error).toBe(code);
    expect(results[0]?.message).toContain(word);
    expect(results[1]?.id).toBeDefined();
    await clock.advance(0);
    expect(delivered).toHaveLength(1);
  });

  test('an event just below 256 KiB is accepted', () => {
    const { bus } = bench();
    const [result] = bus.put([entry({ x: 'a'.repeat(262_144 - 100) })]);
    expect(result?.error).toBeUndefined();
  });
});

describe('PutEvents', () => {
  const good = { Source: 'epsilon.jobs', DetailType: 'Job State Change', Detail: '{"run":"r-1"}' };

  test('F49: PutEvents answers entry by entry, in order, and counts the refused ones', async () => {
    const { bus, clock, delivered } = bench();
    const result = putEvents(bus, [
      good,
      { ...good, Detail: '{oops' },
      { ...good, Source: undefined },
      { ...good, Detail: { run: 'r-2' } },
      null,
    ]);
    expect(result.FailedEntryCount).toBe(3);
    expect(result.Entries.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'EVENT_SCHEMA',
      'EVENT_SCHEMA',
      undefined,
      'EVENT_SCHEMA',
    ]);
    expect(result.Entries[1]?.ErrorMessage).toContain('/Detail');
    await clock.advance(0);
    expect(delivered.map(({ event }) => event.detail)).toEqual([{ run: 'r-1' }, { run: 'r-2' }]);
    expect(result.Entries[0]?.EventId).toBe(delivered[0]?.event.id);
  });

  test('PutEvents refuses text beyond the limit before parsing it', () => {
    const { bus } = bench();
    const result = putEvents(bus, [{ ...good, Detail: '['.repeat(300_000) }]);
    expect(result.Entries[0]?.ErrorCode).toBe('EVENT_TOO_LARGE');
  });

  test.each([0, 11])('refuses a call of %i entries whole', (count) => {
    const { bus, delivered } = bench();
    expect(() =>
      putEvents(
        bus,
        Array.from({ length: count }, () => good),
      ),
    ).toThrow(expect.objectContaining({ code: 'EVENT_SCHEMA', details: { pointer: '/Entries' } }));
    expect(delivered).toEqual([]);
  });
});
