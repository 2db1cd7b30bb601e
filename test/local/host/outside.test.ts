import { describe, expect, it } from 'vitest';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { isOutside, OutsideConditions, type Waiting } from '../../../local/host/outside.ts';

const full = () => new EpsilonError('DISK_FULL', 'The disk is full.', { exitCode: 4 });
const locked = () => new EpsilonError('DATABASE_LOCKED', 'The database is locked.', { exitCode: 4 });

function open(signal?: AbortSignal) {
  const clock = new VirtualClock(0);
  const reports: Waiting[] = [];
  const outside = new OutsideConditions({ clock, signal, report: (waiting) => reports.push(waiting) });
  return { clock, reports, outside };
}

/** Work that throws what is in `errors`, one at each try, and then gives "done". */
function meeting(...errors: unknown[]) {
  let tries = 0;
  return () => {
    tries += 1;
    const error = errors.shift();
    return error === undefined ? Promise.resolve(`done after ${tries}`) : Promise.reject(error);
  };
}

describe('conditions outside the process', () => {
  it('are a full disk and a locked database, whoever met them', () => {
    expect([full(), locked(), { code: 'ENOSPC' }, { code: 'EDQUOT' }].map(isOutside)).toEqual(
      Array(4).fill(true),
    );
    expect([new Error('x'), new EpsilonError('INPUT_INVALID', 'x'), undefined, 'x'].map(isOutside)).toEqual(
      Array(4).fill(false),
    );
  });

  it('are waited out, reported once when they begin and once when they are over', async () => {
    const { clock, reports, outside } = open();
    const work = outside.waitOut(meeting(full(), full(), full()));
    await clock.advance(1_500);
    expect(outside.waitingFor()).toEqual([
      { code: 'DISK_FULL', text: expect.stringMatching(/^The disk is full\. Free some space/) },
    ]);
    await clock.advance(2_000);
    expect(await work).toBe('done after 4');
    expect(reports.map(({ code, phase }) => [code, phase])).toEqual([
      ['DISK_FULL', 'begun'],
      ['DISK_FULL', 'over'],
    ]);
    expect(outside.waitingFor()).toEqual([]);
  });

  it('last as long as anybody waits for them, and one may follow the other', async () => {
    const { clock, reports, outside } = open();
    outside.met('engine', full());
    const work = outside.waitOut(meeting(full(), locked()));
    await clock.advance(1_000);
    expect(reports.map(({ code, phase }) => `${code} ${phase}`)).toEqual([
      'DISK_FULL begun',
      'DATABASE_LOCKED begun',
    ]);
    outside.over('engine');
    await clock.advance(1_000);
    expect(await work).toBe('done after 3');
    expect(reports.slice(2).map(({ code, phase }) => `${code} ${phase}`)).toEqual([
      'DISK_FULL over',
      'DATABASE_LOCKED over',
    ]);
  });

  it('do not hide other errors, and end with them', async () => {
    const { clock, outside } = open();
    const work = outside.waitOut(meeting(full(), new Error('a fault')));
    const ends = expect(work).rejects.toThrow('a fault');
    await clock.advance(1_000);
    await ends;
    expect(outside.waitingFor()).toEqual([]);
  });

  it('are no longer waited for when somebody stops the command or the runtime closes', async () => {
    const stop = new AbortController();
    const stopped = open(stop.signal);
    const interrupted = expect(stopped.outside.waitOut(meeting(full(), full()))).rejects.toMatchObject({
      code: 'INTERRUPTED',
      exitCode: 130,
    });
    await stopped.clock.advance(0);
    stop.abort();
    await interrupted;
    const closed = open();
    const left = expect(closed.outside.waitOut(meeting(full(), full()))).rejects.toMatchObject({
      code: 'DISK_FULL',
    });
    await closed.clock.advance(0);
    closed.outside.close();
    await left;
  });

  it('are waited out by a patient object, whose other results are as they were', async () => {
    const { clock, outside } = open();
    const work = meeting(locked());
    const patient = outside.patient({ name: 'store', count: () => 3, get: () => work() });
    expect([patient.name, patient.count()]).toEqual(['store', 3]);
    const got = patient.get();
    await clock.advance(1_000);
    expect(await got).toBe('done after 2');
  });
});
