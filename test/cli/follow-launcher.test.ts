import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { stopsWith } from '../../cli/launch/follow-launcher.ts';

function aCommand(launcher: string | undefined) {
  const at = { parent: 7, now: 0 };
  const done: string[] = [];
  const command = stopsWith(
    { launcher, parent: () => at.parent, now: () => at.now },
    { stop: () => done.push('stop'), quit: () => done.push('quit') },
  );
  return { at, done, ...command };
}

describe('a command that was launched by another Node', () => {
  it('takes a signal to both processes for one, and a later one for the second', () => {
    const { at, done, signal } = aCommand('7');
    signal();
    at.now = 20;
    signal();
    expect(done).toEqual(['stop']);
    at.now = 1_000;
    signal();
    expect(done).toEqual(['stop', 'quit']);
  });

  it('stops once when its launcher is gone', () => {
    const { at, done, look } = aCommand('7');
    look();
    expect(done).toEqual([]);
    at.parent = 1;
    look();
    look();
    expect(done).toEqual(['stop']);
  });
});

describe('a command that was started itself', () => {
  it('goes on when the shell that started it is gone, and quits at the second signal', () => {
    const { at, done, look, signal } = aCommand(undefined);
    at.parent = 1;
    look();
    expect(done).toEqual([]);
    signal();
    signal();
    expect(done).toEqual(['stop', 'quit']);
  });

  it('believes no process id that is not its parent', () => {
    const { at, done, look } = aCommand('8');
    at.parent = 1;
    look();
    expect(done).toEqual([]);
  });
});

describe('a launcher', () => {
  it('that is killed takes its command along', async () => {
    const program = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['--input-type=module', '-e', \`
        import { followLauncher } from '${process.cwd()}/cli/launch/follow-launcher.ts';
        const waits = setTimeout(() => {}, 60_000);
        followLauncher(process.env.EPSILON_LAUNCHER_PID, {
          stop: () => { process.stdout.write('stopped'); clearTimeout(waits); },
          quit: () => process.exit(9),
        });
        process.stdout.write('runs ');
      \`], { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, EPSILON_LAUNCHER_PID: String(process.pid) } });
      child.on('exit', () => process.exit());
    `;
    const launcher = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    for await (const chunk of launcher.stdout) {
      out += String(chunk);
      if (out === 'runs ') launcher.kill('SIGKILL');
    }
    if (launcher.exitCode === null && launcher.signalCode === null) await once(launcher, 'exit');
    expect(out).toBe('runs stopped');
  }, 20_000);
});
