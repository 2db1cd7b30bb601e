import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deliveryOf } from '../../../local/notify/settings.ts';
import { freshDir } from '../../fresh-dir.ts';

const projectDir = freshDir();
const variables = { PATH: join(projectDir, 'bin') };
const of = (notify: unknown) => deliveryOf(notify, { projectDir, variables });

mkdirSync(join(projectDir, 'bin'));
const file = (name: string, text: string, mode: number) => {
  writeFileSync(join(projectDir, name), text);
  chmodSync(join(projectDir, name), mode);
};
file('bin/tell', '#!/bin/sh\n', 0o755);
file('bin/plain', '', 0o644);
file('own', 'https://hooks.example.com/secret-token\n', 0o600);
file('open', 'https://hooks.example.com/secret-token\n', 0o644);
file('bad', 'secret-token', 0o600);

describe('the setting notify', () => {
  it('names a program, found by PATH or by its path, an address, or the file of an address', () => {
    expect(of(undefined)).toBeUndefined();
    expect(of({ command: ['tell', '--loud'] })).toEqual({
      severity: 'critical',
      kind: 'command',
      command: [join(projectDir, 'bin/tell'), '--loud'],
    });
    expect(of({ command: ['./bin/tell'], severity: 'warning' })).toMatchObject({ severity: 'warning' });
    expect(of({ webhook: 'http://localhost:9/x' })).toMatchObject({ url: new URL('http://localhost:9/x') });
    expect(of({ webhookFile: 'own' })).toMatchObject({
      url: new URL('https://hooks.example.com/secret-token'),
    });
  });

  it.each([
    ['nothing', {}, 'name one of'],
    ['two ways', { command: ['tell'], webhook: 'https://a.example' }, 'name one of'],
    ['a key it does not have', { commands: ['tell'] }, 'there is no "commands"'],
    ['text for a list', { command: 'tell' }, 'command'],
    ['a program that is not there', { command: ['shout'] }, 'no program "shout"'],
    ['a file that cannot be run', { command: ['plain'] }, 'no program "plain"'],
    ['a folder', { command: ['./bin'] }, 'no program "./bin"'],
    ['plain http elsewhere', { webhook: 'http://a.example/secret-token' }, 'https address'],
    ['a password', { webhook: 'https://u:secret-token@a.example/' }, 'user or password'],
    ['a file that others can read', { webhookFile: 'open' }, 'chmod 600'],
    ['a file without an address', { webhookFile: 'bad' }, 'https address'],
    ['a file that is not there', { webhookFile: 'none' }, 'ENOENT'],
  ])('is refused with %s, and no secret is repeated', (_, notify, said) => {
    expect(() => of(notify)).toThrow(
      expect.objectContaining({ code: 'NOTIFY_INVALID', message: expect.stringContaining(said) }),
    );
    expect(() => of(notify)).not.toThrow(/secret-token/);
  });
});
