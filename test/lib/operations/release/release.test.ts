import { describe, expect, it } from 'vitest';
import { answerAct, askRollback, beatAct } from '../../../../lib/operations/release/answer-act.ts';
import { askAct } from '../../../../lib/operations/release/ask-act.ts';
import { closeRelease } from '../../../../lib/operations/release/close-release.ts';
import { lookAtVersions, returnVersions } from '../../../../lib/operations/release/look-at-versions.ts';
import { openRelease } from '../../../../lib/operations/release/open-release.ts';
import type { CallbackOutcome } from '../../../../lib/ports/task-callbacks.ts';
import type { ExecutionStatus } from '../../../../lib/ports/workflows.ts';
import { lastKept, releaseName } from '../../../../lib/release/release.ts';
import { testPorts, workflowsOf } from '../../../fixtures/ports.ts';
import { aRelease } from '../../../fixtures/records.ts';

function world(
  statuses: Readonly<Record<string, ExecutionStatus>> = {},
  outcome: CallbackOutcome = 'delivered',
) {
  const sent: string[] = [];
  const told: string[] = [];
  const note = (what: string) => async (token: string, given?: unknown) => {
    sent.push(`${what} ${token} ${given === undefined ? '' : JSON.stringify(given)}`.trim());
    return outcome;
  };
  const ports = testPorts({
    callbacks: { succeed: note('done'), fail: note('failed'), heartbeat: note('beat') },
    notifier: { notify: async ({ subject }) => void told.push(subject) },
    workflows: workflowsOf({
      describe: async (executionArn) => {
        const status = statuses[executionArn];
        if (status) return { status } as never;
        throw Object.assign(new Error('none'), { code: 'EXECUTION_NOT_FOUND' });
      },
    }),
  });
  const open = (releaseId: string, takesBack?: string) =>
    openRelease(ports, { ...aRelease({ releaseId }), executionArn: `execution:${releaseId}`, takesBack });
  const ask = (kind: 'move' | 'watch' | 'back', taskToken: string) =>
    askAct(ports, { releaseId: 'one', kind, environment: 'production', taskToken });
  return { ports, sent, told, open, ask };
}

describe('a release', () => {
  it('is opened once, however often its first state is entered', async () => {
    const { open, ports } = world();
    expect(await open('one')).toMatchObject({ version: 1, acts: [] });
    expect(await open('one')).toMatchObject({ version: 1 });
    expect(await ports.releases.list()).toHaveLength(1);
  });

  it('is refused while another one runs, and takes the place of one whose execution was stopped', async () => {
    const running = world({ 'execution:one': 'RUNNING' });
    await running.open('one');
    await expect(running.open('two')).rejects.toMatchObject({ name: 'ReleaseUnderWay', exitCode: 3 });
    expect(await running.ports.releases.get('two')).toBeUndefined();
    const stopped = world({ 'execution:one': 'ABORTED' });
    await stopped.open('one');
    expect(await stopped.open('two')).toMatchObject({ releaseId: 'two' });
  });

  it('knows what it replaces: the newest that was kept, and not what it takes back', async () => {
    const { open, ports } = world();
    for (const [releaseId, finishedAt] of [
      ['a', '2026-11-24T03:00:00.000Z'],
      ['b', '2026-11-24T04:00:00.000Z'],
    ] as const)
      await ports.releases.put(aRelease({ releaseId, outcome: 'kept', finishedAt }), 0);
    await ports.releases.put(aRelease({ releaseId: 'c', outcome: 'rolledBack' }), 0);
    expect(await open('one')).toMatchObject({ replaces: { releaseId: 'b' } });
    await ports.releases.end('one');
    expect(await open('back-b', 'b')).toMatchObject({ takesBack: 'b', replaces: { releaseId: 'a' } });
  });

  it('that was taken back is returned to no more', () => {
    const kept = (releaseId: string, hour: number, takesBack?: string) =>
      aRelease({
        releaseId,
        outcome: 'kept',
        finishedAt: `2026-11-24T0${hour}:00:00.000Z`,
        ...(takesBack === undefined ? {} : { takesBack }),
      });
    const all = [kept('a', 1), kept('b', 2), kept('back-b', 3, 'b')];
    expect(lastKept(all)?.releaseId).toBe('back-b');
    expect(lastKept(all, 'back-b')?.releaseId).toBe('a');
    expect(lastKept([])).toBeUndefined();
  });

  it('has the name of its commit and digests, in whatever order they come', () => {
    const { commit, images } = aRelease();
    const turned = Object.fromEntries(Object.entries(images).toReversed());
    expect(releaseName({ commit, images })).toMatch(/^c{12}-[0-9a-f]{12}$/);
    expect(releaseName({ commit, images: turned })).toBe(releaseName({ commit, images }));
    expect(releaseName({ commit, images: { ...images, smoke: 'other' } })).not.toBe(
      releaseName({ commit, images }),
    );
  });
});

describe('an act', () => {
  it('is answered once, with the token of the newest entry of its state', async () => {
    const { open, ask, ports, sent } = world();
    await open('one');
    expect([await ask('move', 'old'), await ask('move', 'new')]).toEqual([1, 1]);
    const done = { releaseId: 'one', act: 1, outcome: 'done', said: 'live' } as const;
    expect((await answerAct(ports, done)).acts).toMatchObject([{ outcome: 'done', said: 'live' }]);
    expect(sent).toEqual(['done new {"act":1,"said":"live"}']);
    await expect(answerAct(ports, done)).rejects.toMatchObject({ code: 'ACT_NOT_OPEN', exitCode: 3 });
  });

  it('that fails says why to the machine', async () => {
    const { open, ask, ports, sent } = world();
    await open('one');
    await ask('watch', 't');
    await answerAct(ports, { releaseId: 'one', act: 1, outcome: 'failed', said: 'red' });
    expect(sent).toEqual(['failed t {"error":"ActFailed","cause":"red"}']);
  });

  it('that the machine gave up is closed by the next one, and beats no more', async () => {
    const { open, ask, ports } = world({}, 'gone');
    await open('one');
    await ask('watch', 'w');
    expect(await beatAct(ports, { releaseId: 'one', act: 1 })).toBe(false);
    expect(await ask('back', 'b')).toBe(2);
    expect((await ports.releases.get('one'))?.acts).toMatchObject([{ outcome: 'failed' }, { kind: 'back' }]);
    expect(await beatAct(ports, { releaseId: 'one', act: 1 })).toBe(false);
    expect(await beatAct(ports, { releaseId: 'two', act: 1 }).catch(({ code }) => code)).toBe(
      'RELEASE_NOT_FOUND',
    );
  });

  it('whose answer died half-way keeps the token of the act that was asked for meanwhile', async () => {
    const { open, ask, ports } = world();
    await open('one');
    await ask('watch', 'w');
    ports.callbacks.succeed = async () => {
      await ask('back', 'b');
      return 'delivered';
    };
    await answerAct(ports, { releaseId: 'one', act: 1, outcome: 'done', said: '' });
    const now = await ports.releases.get('one');
    expect(now?.acts).toMatchObject([{ outcome: 'done' }, { kind: 'back' }]);
    expect(now && (await ports.releases.open(now))).toBe('b');
  });
});

describe('a rollback that an operator asks for', () => {
  it('gives up the act that waits, and lets nothing be asked for but the way back', async () => {
    const { open, ask, ports, sent } = world();
    await open('one');
    await ask('watch', 'w');
    await askRollback(ports, { releaseId: 'one', reason: 'I saw it' });
    expect(sent).toEqual(['failed w {"error":"RollbackAsked","cause":"I saw it"}']);
    await expect(ask('move', 'm')).rejects.toMatchObject({ name: 'RollbackAsked' });
    expect(await ask('back', 'b')).toBe(2);
    await askRollback(ports, { releaseId: 'one', reason: 'again' });
    expect(sent).toHaveLength(1);
  });

  it('is refused for a release that is over or never was', async () => {
    const { open, ports, told } = world();
    await open('one');
    await closeRelease(ports, { releaseId: 'one', outcome: 'rolledBack', because: 'bad' });
    expect(told).toEqual(['Release one was rolled back']);
    const refused = (releaseId: string) =>
      askRollback(ports, { releaseId, reason: 'x' }).catch(({ code }: { code: string }) => code);
    expect([await refused('one'), await refused('none')]).toEqual(['RELEASE_OVER', 'RELEASE_NOT_FOUND']);
  });

  it('of a closed release changes nothing more, whatever closes it again', async () => {
    const { open, ports } = world();
    await open('one');
    await closeRelease(ports, { releaseId: 'one', outcome: 'rolledBack', because: 'bad' });
    const again = await closeRelease(ports, { releaseId: 'one', outcome: 'kept', because: '' });
    expect(again).toMatchObject({ outcome: 'rolledBack', because: 'bad', version: 2 });
    expect(await ports.releases.begin({ releaseId: 'two' })).toBe('two');
  });
});

describe('versions of the control plane', () => {
  it('are returned where the new one still starts, and nowhere else', async () => {
    const { open, ports } = world();
    await open('one');
    const routes = new Map([
      ['tenant-model-training', ['t:9', 't:10']],
      ['nightly-training', ['n:4']],
    ]);
    ports.versions.current = async (machine) =>
      (routes.get(machine) ?? []).map((versionArn) => ({ versionArn, weight: 50 }));
    ports.versions.route = async (machine, versionArn) => void routes.set(machine, [versionArn]);
    const { moves, canary, over } = await lookAtVersions(ports, 'one');
    expect({ canary, over }).toEqual({ canary: 't:10', over: false });
    const also = { machine: 'nightly-training', before: 'n:3', after: 'n:4' };
    const gone = { machine: 'autoscaling', before: 'a:1', after: 'a:2' };
    expect(await returnVersions(ports, [...moves, also, gone])).toEqual([
      'tenant-model-training',
      'nightly-training',
    ]);
    expect([...routes.values()]).toEqual([['t:9'], ['n:3']]);
  });
});
