import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OperatorApi } from '../../../lib/ports/operator-api.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import type { Call } from '../../../local/control/call.ts';
import { connectControl } from '../../../local/control/client.ts';
import { answer } from '../../../local/control/rpc.ts';
import { type Listening, serveHttp, serveSocket } from '../../../local/control/server.ts';
import type { Condition, Waiting } from '../../../local/host/outside.ts';
import { type Night, openNight } from '../../night/harness.ts';
import { freshDir } from '../asl/harness.ts';

let night: Night;
let control: OperatorApi;

beforeAll(async () => {
  night = await openNight();
  await night.add('acme');
  await night.until(await night.fire());
  control = night.runtime.control;
});

afterAll(() => night.runtime.close());

const ask = (call: Call) =>
  answer(
    () => control,
    () => call,
  );

describe('calls from outside', () => {
  it.each([
    ['workflows', 'constructor'],
    ['callbacks', 'succeed'],
    ['constructor', 'keys'],
    ['tenants', 'toString'],
    ['objects', 'put'],
    ['runs', 'updateRun'],
    ['tenants', 'put'],
    ['leases', 'acquire'],
    ['models', 'register'],
    ['models', 'noteAligned'],
    ['audit', 'append'],
    ['documents', 'put'],
  ])('%s.%s does not exist', async (port, method) => {
    expect(await ask({ port, method, args: [] })).toMatchObject({
      status: 404,
      reply: { error: { code: 'RPC_UNKNOWN' } },
    });
  });

  it('keep code and exit code of an error', async () => {
    expect(await ask({ port: 'workflows', method: 'redrive', args: ['arn:none'] })).toMatchObject({
      status: 404,
      reply: { error: { code: 'EXECUTION_NOT_FOUND', exitCode: 2 } },
    });
  });

  it('never see a task token of an attempt', async () => {
    night.jobs.fate = () => ({ never: true });
    const arn = await night.train('acme', 'open-run');
    await night.settle();
    const reply = JSON.stringify(await ask({ port: 'runs', method: 'listAttempts', args: ['open-run'] }));
    expect(reply).toContain('open-run-prepare-1');
    expect(reply).not.toContain('"taskToken"');
    await control.workflows.stop(arn, { error: 'E', cause: 'c' });
    await night.settle();
  });
});

describe('the socket', () => {
  it('is open to its owner only, replaces a stale one, and gives the whole control plane', async () => {
    const path = join(freshDir(), 'control.sock');
    writeFileSync(path, 'left by a dead process');
    const listening = await serveSocket(night.runtime.controlFor, path, night.runtime);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const far = await connectControl(path, control);
    if (!far) throw new Error('nobody answers');
    expect(await far.tenants.list()).toEqual(await control.tenants.list());
    expect(await far.tenants.get('nobody')).toBeUndefined();
    const [night1] = await far.workflows.list({ machine: 'nightly-training', limit: 1 });
    expect(await Array.fromAsync(far.workflows.history(night1?.executionArn ?? ''))).toEqual(
      await Array.fromAsync(control.workflows.history(night1?.executionArn ?? '')),
    );
    const live = await far.models.live('acme');
    expect(Buffer.from(await far.objects.get(live?.modelUri ?? ''))).toEqual(
      Buffer.from(await control.objects.get(live?.modelUri ?? '')),
    );
    await expect(far.workflows.describe('arn:none')).rejects.toMatchObject({
      code: 'EXECUTION_NOT_FOUND',
      exitCode: 2,
    });
    await listening.close();
    expect(existsSync(path)).toBe(false);
    expect(await connectControl(path, control)).toBeUndefined();
  });
});

describe('a verb that calls through the socket', () => {
  it('says once what the control plane waits for, and that it goes on', async () => {
    const path = join(freshDir(), 'control.sock');
    let waitingFor: readonly Condition[] = [];
    const self = { waitingFor: () => waitingFor, metricsText: () => '' };
    const listening = await serveSocket(night.runtime.controlFor, path, self);
    const clock = new VirtualClock(0);
    const heard: Waiting[] = [];
    const far = await connectControl(path, {
      ...control,
      clock,
      onWaiting: (waiting) => heard.push(waiting),
    });
    const looks = async (count: number) => {
      for (let look = 0; look < count; look += 1) {
        await vi.waitFor(() => expect(clock.pending).toBe(1));
        await clock.advance(1_000);
      }
    };
    waitingFor = [{ code: 'DISK_FULL', text: 'The disk is full.' }];
    await looks(3);
    waitingFor = [];
    await looks(2);
    expect(heard).toEqual([
      { code: 'DISK_FULL', phase: 'begun', text: 'The disk is full.' },
      { code: 'DISK_FULL', phase: 'over', text: 'there is room on the disk again' },
    ]);
    await far?.close();
    await listening.close();
  });
});

/** The newest acts on record. */
const acts = () =>
  control.audit.list({
    since: '2026-11-01T00:00:00.000Z',
    until: '2026-12-01T00:00:00.000Z',
    limit: 3,
  });

describe('the actor of a request through the socket', () => {
  it('is its owner, whatever the call says, and goes on record with what was refused', async () => {
    const path = join(freshDir(), 'control.sock');
    const listening = await serveSocket(night.runtime.controlFor, path, night.runtime);
    const far = await connectControl(path, control);
    if (!far) throw new Error('nobody answers');
    const owner = `os:${userInfo().username}`;
    const forged = { tenantId: 'acme', actor: 'os:somebody-else', via: 'process' };
    await expect(far.tenants.suspend(forged)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(await far.tenants.get('acme')).toMatchObject({ status: 'active' });
    expect((await acts()).slice(0, 1)).toMatchObject([
      { act: 'tenants.suspend', actor: owner, via: 'socket', outcome: 'refused', error: 'INPUT_INVALID' },
    ]);
    expect(await far.tenants.suspend({ tenantId: 'acme' })).toMatchObject({ status: 'suspended' });
    expect(await far.tenants.resume({ tenantId: 'acme' })).toMatchObject({ status: 'active' });
    expect((await far.audit.list({ since: '2026', until: '2027', limit: 2 })).map(({ act }) => act)).toEqual([
      'tenants.resume',
      'tenants.suspend',
    ]);
    await listening.close();
  });
});

describe('the port', () => {
  let listening: Listening;
  let waitingFor: readonly Condition[] = [];
  const tokenFile = join(freshDir(), 'token');

  beforeAll(async () => {
    listening = await serveHttp(night.runtime.controlFor, {
      port: 0,
      tokenFile,
      self: { waitingFor: () => waitingFor, metricsText: () => night.runtime.metricsText() },
    });
  });

  afterAll(() => listening.close());

  const call = (
    headers: Record<string, string>,
    body = JSON.stringify({ port: 'tenants', method: 'list', args: [] }),
  ) =>
    fetch(`${listening.at}/rpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  const bearer = () => ({ authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` });

  it('listens on this host only and shows metrics to everybody on it', async () => {
    expect(listening.at).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const text = await (await fetch(`${listening.at}/metrics`)).text();
    expect(text).toContain('epsilon_runs_begun_total{trigger="schedule"} 1');
  });

  it('shows health to everybody: 200 while it is well, 503 with what it waits for', async () => {
    const health = async () => {
      const response = await fetch(`${listening.at}/healthz`);
      return [response.status, await response.json()];
    };
    expect(await health()).toEqual([200, { status: 'ok', waitingFor: [] }]);
    waitingFor = [{ code: 'DISK_FULL', text: 'The disk is full.' }];
    expect(await health()).toEqual([503, { status: 'waiting', waitingFor }]);
    waitingFor = [];
  });

  it.each([
    ['no JSON', 'nonsense', 400, 'RPC_BODY_INVALID'],
    ['an empty body', '', 400, 'RPC_BODY_INVALID'],
    ['a list', '[]', 400, 'RPC_BODY_INVALID'],
    ['no method', '{"port":"tenants"}', 400, 'RPC_BODY_INVALID'],
    ['a method that is a number', '{"port":"tenants","method":1}', 400, 'RPC_BODY_INVALID'],
    ['arguments that are no list', '{"port":"tenants","method":"list","args":{}}', 400, 'RPC_BODY_INVALID'],
    ['an unknown method', '{"port":"tenants","method":"put"}', 404, 'RPC_UNKNOWN'],
    ['a filter that is null', '{"port":"runs","method":"listRuns","args":[null]}', 400, 'INPUT_INVALID'],
    [
      'a limit that is text',
      '{"port":"workflows","method":"list","args":[{"limit":"x"}]}',
      400,
      'INPUT_INVALID',
    ],
    ['an argument too many', '{"port":"tenants","method":"list","args":[1]}', 400, 'INPUT_INVALID'],
    ['an argument too few', '{"port":"tenants","method":"get"}', 400, 'INPUT_INVALID'],
    [
      'an act on nobody',
      '{"port":"tenants","method":"suspend","args":[{"tenantId":"no-one"}]}',
      404,
      'TENANT_NOT_FOUND',
    ],
  ])('refuses %s', async (_, body, status, code) => {
    const response = await call(bearer(), body);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect([response.status, error.code]).toEqual([status, code]);
    expect(error.message).not.toMatch(/Too big|Too small|Invalid input|expected|received|undefined|Cannot/);
  });

  it('names its paths to those who ask for another, and takes calls by POST alone', async () => {
    const unknown = await fetch(`${listening.at}/health`);
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { error: { code: 'PATH_UNKNOWN' } }]);
    const got = await fetch(`${listening.at}/rpc`, { headers: bearer() });
    expect([got.status, got.headers.get('allow'), await got.json()]).toMatchObject([
      405,
      'POST',
      { error: { code: 'RPC_METHOD' } },
    ]);
  });

  it('asks for the token, which only its owner can read', async () => {
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    expect((await call({})).status).toBe(401);
    expect((await call({ authorization: 'Bearer wrong' })).status).toBe(401);
    const good = await call(bearer());
    expect(good.status).toBe(200);
    expect(await good.json()).toMatchObject({ result: [{ tenantId: 'acme' }] });
  });

  it('acts in the name of the owner of the token, whatever headers and arguments say', async () => {
    const body = (args: unknown[]) =>
      JSON.stringify({ port: 'tenants', method: 'suspend', args, actor: 'os:x' });
    const headers = { ...bearer(), 'x-actor': 'os:x', 'x-forwarded-user': 'x' };
    const forged = await call(headers, body([{ tenantId: 'acme' }, { id: 'os:x', via: 'process' }]));
    expect(await forged.json()).toMatchObject({ error: { code: 'INPUT_INVALID' } });
    await call(headers, body([{ tenantId: 'nobody' }]));
    const actor = `os:${userInfo().username}`;
    expect((await acts()).slice(0, 2)).toMatchObject([
      { subject: 'tenant nobody', actor, via: 'http', error: 'TENANT_NOT_FOUND' },
      { subject: 'unknown', actor, via: 'http', error: 'INPUT_INVALID' },
    ]);
  });

  it('refuses pages of other origins and calls that are too large', async () => {
    expect((await call({ ...bearer(), origin: 'https://evil.example' })).status).toBe(403);
    expect(
      (
        await call(
          bearer(),
          JSON.stringify({ port: 'tenants', method: 'add', args: ['x'.repeat(1_100_000)] }),
        )
      ).status,
    ).toBe(413);
  });

  it('that is taken is a conflict', async () => {
    await expect(
      serveHttp(night.runtime.controlFor, {
        port: Number(new URL(listening.at).port),
        tokenFile,
        self: night.runtime,
      }),
    ).rejects.toMatchObject({ code: 'ADDRESS_IN_USE', exitCode: 3 });
  });
});
