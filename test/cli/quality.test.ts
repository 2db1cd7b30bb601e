import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgedHistory } from '../fixtures/quality-history.ts';
import { freshDir } from '../local/asl/harness.ts';
import { type Night, openNight } from '../night/harness.ts';
import { epsilon } from './harness.ts';

let night: Night;

beforeEach(async () => {
  night = await openNight({ schedules: false });
  await night.add('acme');
});

afterEach(async () => {
  await night.runtime.close();
});

describe('quality show', () => {
  it('of an unknown tenant says so, with and without a page', async () => {
    const page = join(freshDir(), 'page.html');
    for (const more of [[], ['--html', page]]) {
      const { code, err } = await epsilon(night.runtime.control, 'quality', 'show', 'nobody', ...more);
      expect(code).toBe(2);
      expect(err).toContain('TENANT_NOT_FOUND');
    }
    expect(readdirSync(join(page, '..'))).toEqual([]);
  });

  it('--html writes one page with what was expected and what was found', async () => {
    const { verdicts } = night.runtime.ports;
    const history = judgedHistory(60, { until: night.runtime.control.clock.now(), broken: new Set([55]) });
    for (const entry of history) await verdicts.append(entry);
    const folder = freshDir();
    const ran = await epsilon(
      night.runtime.control,
      ...['quality', 'show', 'acme', '--html', join(folder, 'acme.html'), '--json'],
    );
    expect(ran.err).toBe('');
    expect(ran.json()).toMatchObject({ tenantId: 'acme', html: join(folder, 'acme.html') });
    const page = readFileSync(join(folder, 'acme.html'), 'utf8');
    expect(page).toMatch(/<title>[^<]*documents, expected/);
    expect(page).toContain('class="band"');
    expect(page).toContain('60 judgements of new data in 3 days');
    expect(readdirSync(folder)).toEqual(['acme.html']);
  });

  it('--html without judgements is a page that says so', async () => {
    const file = join(freshDir(), 'acme.html');
    expect(await epsilon(night.runtime.control, 'quality', 'show', 'acme', '--html', file)).toMatchObject({
      code: 0,
      out: `Written: ${file}\n`,
    });
    expect(readFileSync(file, 'utf8')).toContain('No judgement is on record yet.');
  });

  it('--html into a folder that is not there writes nothing and says why', async () => {
    const file = join(freshDir(), 'none', 'acme.html');
    const { code, err } = await epsilon(night.runtime.control, 'quality', 'show', 'acme', '--html', file);
    expect(code).toBe(2);
    expect(err).toContain('FILE_UNWRITABLE');
  });
});
