import { spawn } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../free-port.ts';

describe('serving/smoke.ts and serving/main.ts', () => {
  const node = (args: readonly string[], environment: Record<string, string> = {}) =>
    spawn(process.execPath, args, { env: { ...process.env, ...environment } });
  const ended = (child: ReturnType<typeof node>) =>
    new Promise<number | null>((resolve) => child.once('exit', resolve));

  it.each([
    [['--failures', 'none'], '--failures none must be a whole number from 0 to 239'],
    [['--failures', ''], '--failures  must be a whole number'],
    [['--requests', '20', '--failures', '20'], '--failures 20 must be a whole number from 0 to 19'],
    [['--requests', '0'], '--requests 0 must be a whole number from 1 to 100000'],
    [['--requests', '0.5'], '--requests 0.5 must be a whole number'],
    [['--seconds', 'NaN'], '--seconds NaN must be a number from 0 to 86400'],
  ])('B24: bounds %j that would judge nothing are refused, and nobody is asked', async (args, said) => {
    const child = node(['serving/smoke.ts', ...args, 'http://127.0.0.1:1']);
    const parts: string[] = [];
    child.stderr.on('data', (part) => parts.push(String(part)));
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(2);
    expect(parts.join('')).toContain(`ANALYSIS_CONFIG: ${said}`);
  });

  it('tell a good colour from a bad one by the exit code, and count what they answered', async () => {
    const [http, metrics] = [await freePort(), await freePort()];
    const server = node(['serving/main.ts'], {
      PORT: String(http),
      METRICS_PORT: String(metrics),
      FAIL_SHARE: '0.1',
    });
    try {
      const url = `http://127.0.0.1:${http}`;
      await vi.waitFor(async () => expect((await fetch(`${url}/ready`)).status).toBe(200), 10_000);
      const smoke = (...args: string[]) =>
        ended(node(['serving/smoke.ts', '--requests', '20', '--seconds', '0', ...args]));
      expect(await smoke(url)).toBe(1);
      expect(await smoke('--failures', '2', url)).toBe(0);
      expect(await smoke()).toBe(2);
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
      expect(text).toContain('http_requests_total{code="200"} 36\n');
      expect(text).toContain('http_requests_total{code="500"} 4\n');
    } finally {
      server.kill();
      await ended(server);
    }
  });
});
