import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { jsonLog } from '../../../local/log.ts';
import { createPeopleNotifier } from '../../../local/notify/people-notifier.ts';
import type { Delivery } from '../../../local/notify/settings.ts';
import { freshDir } from '../../fresh-dir.ts';

const arnOf = (machine: string) => `arn:aws:states:local:000000000000:stateMachine:${machine}`;
const failed = {
  status: 'FAILED',
  name: 'night-1',
  stateMachineArn: arnOf('nightly-training'),
  error: 'NightBelowTarget',
  cause: '1 failed',
};

function open(delivery: Delivery | undefined) {
  const clock = new VirtualClock(0);
  const lines: string[] = [];
  const log = jsonLog(clock, (line) => lines.push(line));
  const variables = { PATH: process.env['PATH'], SECRET: 'secret-token' };
  const notifier = createPeopleNotifier({ log, clock, delivery, cwd: freshDir(), variables });
  const logged = (text: string) => vi.waitFor(() => expect(lines.join('\n')).toContain(text), 10_000);
  return { notifier, clock, lines, logged };
}

const program = (script: string): Delivery => ({
  kind: 'command',
  severity: 'critical',
  command: [process.execPath, '-e', script],
});

let close: (() => void) | undefined;
afterEach(() => close?.());

async function webhook(answers: number[]): Promise<{ delivery: Delivery; bodies: unknown[] }> {
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      bodies.push(JSON.parse(text));
      const status = answers.shift() ?? 200;
      if (status !== 0) response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}/secret-token`);
  return { delivery: { kind: 'webhook', severity: 'critical', url }, bodies };
}

describe('the notifier of this host', () => {
  it('gives a failed night to the program as JSON on its input, with no variable that might be a secret', async () => {
    const to = join(freshDir(), 'told');
    const { notifier } = open(
      program(
        `const fs = require('node:fs'); fs.writeFileSync(${JSON.stringify(to)}, fs.readFileSync(0) + (process.env.SECRET ?? ''))`,
      ),
    );
    notifier.ended({ ...failed, stateMachineArn: arnOf('tenant-model-training') });
    notifier.ended({ ...failed, status: 'SUCCEEDED' });
    notifier.ended({ ...failed, status: 'ABORTED' });
    await notifier.notify({ subject: 'small', body: 'b', severity: 'warning' });
    expect(existsSync(to)).toBe(false);
    notifier.ended(failed);
    await notifier.close();
    expect(JSON.parse(readFileSync(to, 'utf8'))).toEqual({
      severity: 'critical',
      subject: 'Night night-1 failed',
      body: 'NightBelowTarget: 1 failed. Look at it with: epsilon describe nightly-training/night-1. Go on with: epsilon redrive nightly-training/night-1',
    });
  });

  it('posts again after a passing fault, and never logs the address', async () => {
    const { delivery, bodies } = await webhook([503, 429, 204]);
    const { notifier, clock, lines, logged } = open(delivery);
    notifier.ended(failed);
    await logged('"tries":1');
    await clock.advance(5_000);
    await logged('"tries":2');
    await clock.advance(60_000);
    await vi.waitFor(() => expect(bodies).toHaveLength(3), 10_000);
    await notifier.close();
    expect(bodies[2]).toMatchObject({ text: expect.stringContaining('Night night-1 failed') });
    expect(lines.join('\n')).not.toContain('secret-token');
    expect(lines.join('\n')).not.toContain('not delivered');
  });

  it.each([
    [400, 'answered 400'],
    [302, 'answered 302'],
  ])('gives up at once when the address answers %i', async (status, said) => {
    const { delivery, bodies } = await webhook([status]);
    const { notifier, logged } = open(delivery);
    await notifier.notify({ subject: 's', body: 'b', severity: 'critical' });
    await logged(said);
    await logged('notification not delivered');
    expect(bodies).toHaveLength(1);
    await notifier.close();
  });

  it('kills a program that does not end, tries three times in all, and keeps the fault to the log', async () => {
    const { notifier, clock, logged } = open(program('setInterval(() => {}, 1000)'));
    notifier.ended(failed);
    for (const [tries, pause] of [
      [1, 5_000],
      [2, 60_000],
      [3, 0],
    ] as const) {
      await clock.advance(10_000);
      await logged(`"tries":${tries},"error":"the program took too long"`);
      await clock.advance(pause);
    }
    await logged('notification not delivered');
    await notifier.close();
  });

  it('ends while an address is silent, and says what was not delivered', async () => {
    const { delivery, bodies } = await webhook([0, 0]);
    const { notifier, clock, lines } = open(delivery);
    notifier.ended(failed);
    notifier.ended(failed);
    await vi.waitFor(() => expect(bodies).toHaveLength(1), 10_000);
    const closed = notifier.close();
    await clock.advance(10_000);
    await closed;
    expect(lines.join('\n')).toContain('notifications not delivered');
  });
});
