import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addsOnly, Database } from '../../../local/stores/database.ts';
import { freshDir } from '../../fresh-dir.ts';

const first = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT';
const second = "ALTER TABLE notes ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody'";

describe('a database of Epsilon', () => {
  it('a database with an older schema is migrated and keeps its content', () => {
    const file = join(freshDir(), 'x.db');
    const old = new Database({ file, migrations: [first] });
    old.run('INSERT INTO notes (text) VALUES (?)', 'kept');
    old.close();
    const now = new Database({ file, migrations: [first, second] });
    expect(now.get('SELECT text, author FROM notes')).toMatchObject({ text: 'kept', author: 'nobody' });
    now.close();
    expect(() => new Database({ file, migrations: [first] })).toThrow(
      expect.objectContaining({ code: 'STATE_DIR_NEWER' }),
    );
  });

  it('a database of the next version, which only adds, is used by this one, and by that one again', () => {
    const file = join(freshDir(), 'x.db');
    const additions = [`${addsOnly}\n${second}`, `${addsOnly}\nCREATE TABLE more (id INTEGER) STRICT`];
    for (const migrations of [[first], [first, ...additions], [first], [first, ...additions]]) {
      const db = new Database({ file, migrations });
      db.run('INSERT INTO notes (text) VALUES (?)', 'x');
      db.close();
    }
    const next = new Database({ file, migrations: [first, ...additions, 'DROP TABLE more'] });
    expect(next.all('SELECT author FROM notes')).toHaveLength(4);
    next.close();
    expect(() => new Database({ file, migrations: [first, ...additions] })).toThrow(
      expect.objectContaining({ code: 'STATE_DIR_NEWER' }),
    );
  });

  it('a database is created whole or not at all: a leftover draft is created again', () => {
    const file = join(freshDir(), 'x.db');
    writeFileSync(`${file}.new`, 'half a file');
    const db = new Database({ file, migrations: [first] });
    expect(db.all('SELECT * FROM notes')).toEqual([]);
    db.close();
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  it('a transaction is done whole or not at all, also one inside another', () => {
    const db = new Database({ file: join(freshDir(), 'x.db'), migrations: [first] });
    const twice = () =>
      db.transaction(() => {
        db.run('INSERT INTO notes (text) VALUES (?)', 'a');
        db.transaction(() => db.run('INSERT INTO notes (text) VALUES (?)', 'b'));
        throw new Error('no');
      });
    expect(twice).toThrow('no');
    expect(db.all('SELECT * FROM notes')).toEqual([]);
    db.transaction(() => db.run('INSERT INTO notes (text) VALUES (?)', 'c'));
    expect(db.all('SELECT text FROM notes')).toHaveLength(1);
    db.close();
  });

  it('a database is readable while another connection writes', () => {
    const file = join(freshDir(), 'x.db');
    const writer = new Database({ file, migrations: [first] });
    const reader = new Database({ file, migrations: [first], readOnly: true });
    writer.transaction(() => {
      writer.run('INSERT INTO notes (text) VALUES (?)', 'x');
      expect(reader.all('SELECT * FROM notes')).toEqual([]);
    });
    expect(reader.all('SELECT * FROM notes')).toHaveLength(1);
    expect(() => reader.run('INSERT INTO notes (text) VALUES (?)', 'y')).toThrow(
      expect.objectContaining({ code: 'STATE_DIR_UNWRITABLE' }),
    );
    reader.close();
    writer.close();
  });
});
