import { describe, expect, it } from 'vitest';
import { type Answer, machineOf, payload, type Way, walk } from './machine-test.ts';

const machine = machineOf('release');
const opened = (takesBack = '') =>
  payload({ releaseId: 'one', canaryTenant: 'canary', takesBack, replaces: 'zero' });
const version = 'arn:aws:states:us-west-2:123456789012:stateMachine:epsilon-prod-tenant-model-training:10';
const seen = (canary: string, over = false) => payload({ moves: [], canary, over });
const said = { throws: 'ActFailed', cause: 'it said why' };
const trained = [{ returns: { Output: { outcome: 'succeeded' } } }];

const ends = {
  CloseKept: [payload({ outcome: 'kept' })],
  CloseRolledBack: [payload({ outcome: 'rolledBack' })],
};

const asked = (way: Way) =>
  way.path.filter((state) => !/^(OpenRelease|TakesWhat|WhatFollows|IsThereOne|WasItTrained)$/.test(state));

function release(answers: Readonly<Record<string, readonly Answer[]>> = {}): Promise<Way> {
  return walk(
    machine,
    {},
    { OpenRelease: [opened()], LookAtVersions: [seen(version)], TrainCanary: trained, ...ends, ...answers },
  );
}

/** What each failure leads to, from the state that fails. */
const waysBack: readonly (readonly [state: string, back: readonly string[]])[] = [
  ['ReleaseStaging', ['TakeBackStaging']],
  ['TestStaging', ['TakeBackStaging']],
  ['KeepStaging', ['TakeBackStaging']],
  ['ReleaseProduction', ['TakeBackProduction']],
  ['WatchProduction', ['TakeBackProduction']],
  ['KeepProduction', ['RestoreControlPlane', 'TakeBackProduction']],
];

describe('release', () => {
  it('release that nothing is wrong with goes to staging, production and the control plane, and is kept', async () => {
    const way = await release({
      LookAtVersions: [seen(''), seen(version)],
    });
    expect(way).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'kept' } });
    const before = ['ReleaseStaging', 'TestStaging', 'KeepStaging', 'ReleaseProduction', 'WatchProduction'];
    expect(asked(way).slice(0, 6)).toEqual([...before, 'ReleaseControlPlane']);
    expect(way.path).toEqual(expect.arrayContaining(['DeployControlPlane', 'WaitForVersion', 'TrainCanary']));
    expect(way.path.slice(-2)).toEqual(['KeepProduction', 'CloseKept']);
    expect(way.path).not.toContain('ReturnVersions');
  });

  it.each(waysBack)(
    'release whose %s fails is taken back in reverse, with the reason',
    async (state, back) => {
      const way = await release({ [state]: [said] });
      expect(way.status).toBe('SUCCEEDED');
      expect(way.path.slice(way.path.lastIndexOf(state) + 1)).toEqual([...back, 'CloseRolledBack']);
      const closed = way.history.findLast(({ type }) => type === 'TaskScheduled') as unknown as {
        readonly taskScheduledEventDetails: { readonly parameters: string };
      };
      expect(closed.taskScheduledEventDetails.parameters).toContain('it said why');
    },
  );

  it.each(['RollbackAsked', 'States.Timeout', 'States.HeartbeatTimeout'])(
    'release that ends with %s in production is taken back',
    async (error) => {
      const way = await release({ WatchProduction: [{ throws: error }] });
      expect(way.path.slice(-2)).toEqual(['TakeBackProduction', 'CloseRolledBack']);
    },
  );

  it.each([
    ['fails', [{ throws: 'States.TaskFailed' }]],
    ['is skipped', [{ returns: { Output: { outcome: 'skipped' } } }]],
    ['finds the tenant busy', [{ returns: { Output: { outcome: 'busy' } } }]],
  ])('aliases are returned and the control plane is restored when the canary %s', async (_, canary) => {
    const way = await release({ TrainCanary: canary });
    const back = [
      'ReturnVersions',
      'CanaryFailed',
      'RestoreControlPlane',
      'TakeBackProduction',
      'CloseRolledBack',
    ];
    expect(way.path.filter((state) => back.includes(state))).toEqual(back);
  });

  it('deploy that makes no new version of the training needs no canary', async () => {
    const way = await release({ LookAtVersions: [seen(''), seen('', true)] });
    expect(way.path).toContain('NothingNew');
    expect(way.path).not.toContain('TrainCanary');
    expect(way.path.at(-1)).toBe('CloseKept');
  });

  it('deploy that fails restores the control plane before the images', async () => {
    const way = await release({ DeployControlPlane: [said], LookAtVersions: [seen('')] });
    expect(way.path.slice(-3)).toEqual(['RestoreControlPlane', 'TakeBackProduction', 'CloseRolledBack']);
  });

  it('release that takes another one back deploys the control plane before it moves the images', async () => {
    const way = await release({ OpenRelease: [opened('bad')] });
    expect(asked(way)).toEqual([
      'ReturnControlPlane',
      'ReleaseProduction',
      'WatchProduction',
      'KeepProduction',
      'CloseKept',
    ]);
  });

  it('way back that fails fails the execution at its own state, where a redrive continues it', async () => {
    const way = await release({ WatchProduction: [said], TakeBackProduction: [said] });
    expect(way).toMatchObject({ status: 'FAILED', error: 'ActFailed' });
    expect(way.path.at(-1)).toBe('TakeBackProduction');
  });

  it('release that comes while another one is under way does nothing', async () => {
    const way = await release({ OpenRelease: [{ throws: 'ReleaseUnderWay' }] });
    expect(way).toMatchObject({ status: 'FAILED', error: 'ReleaseUnderWay', path: ['OpenRelease'] });
  });
});
