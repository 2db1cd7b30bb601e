import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { conclude, installPackage, works } from '../debian.ts';
import { pages } from './pages.ts';

/**
 * `npm run test:conformance:reports [-- FOLDER]`: reports in Debian's Chromium, in light and dark, wide and narrow, and on paper.
 * The screenshots stay in FOLDER.
 */
const widths = [1_280, 820, 390];

const faults: string[] = [];
let compared = 0;

function expect(what: string, holds: boolean): void {
  compared += 1;
  if (!holds) faults.push(what);
}

/** What is measured in a page. */
interface Measured {
  readonly wider: number;
  readonly background: string;
  readonly images: number;
  readonly scripts: number;
  readonly title: string;
  readonly outside: readonly string[];
}

/** Text, because the project's own code knows no document. Text of a drawing that is outside of it cannot be read. */
const measure = `({
  wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  background: getComputedStyle(document.body).backgroundColor,
  images: document.images.length,
  scripts: document.scripts.length,
  title: document.title,
  outside: [...document.querySelectorAll('svg text')].filter((text) => {
    const [inner, outer] = [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect()];
    return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
  }).map((text) => text.textContent),
})`;

/** What a browser makes of a page in one scheme and width. */
async function look(
  browser: Browser,
  url: string,
  { scheme, width }: { scheme: 'light' | 'dark'; width: number },
) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } });
  const page = await context.newPage();
  const said: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) asked.push(request.url());
  });
  await page.goto(url);
  const measured = await page.evaluate<Measured>(measure);
  return { page, context, said, asked, measured };
}

async function onScreen(
  browser: Browser,
  { name, url, folder }: { name: string; url: string; folder: string },
) {
  const backgrounds = new Set<string>();
  for (const scheme of ['light', 'dark'] as const)
    for (const width of widths) {
      const where = `${name}, ${scheme}, ${width} pixels`;
      const { page, context, said, asked, measured } = await look(browser, url, { scheme, width });
      expect(`${where}: the console says ${said.join('; ')}`, said.length === 0);
      expect(`${where}: it asks for ${asked.join(', ')}`, asked.length === 0);
      expect(`${where}: ${measured.wider} pixels wider than the window`, measured.wider <= 0);
      expect(`${where}: text became markup`, measured.images === 0 && measured.scripts === 0);
      expect(`${where}: the title was changed by its content`, measured.title !== 'taken');
      expect(
        `${where}: outside of their drawing: ${measured.outside.join(', ')}`,
        measured.outside.length === 0,
      );
      backgrounds.add(`${scheme} ${measured.background}`);
      await page.screenshot({ path: join(folder, `${name}-${scheme}-${width}.png`), fullPage: true });
      await context.close();
    }
  expect(`${name}: dark looks like light (${[...backgrounds].join(', ')})`, backgrounds.size === 2);
}

async function onPaper(
  browser: Browser,
  { name, url, folder }: { name: string; url: string; folder: string },
) {
  // The width of A4 within margins of 1 cm; a reader whose screen is dark prints black on white, too.
  const { page, context } = await look(browser, url, { scheme: 'dark', width: 718 });
  await page.emulateMedia({ media: 'print' });
  const { background, wider } = await page.evaluate<Measured>(measure);
  expect(`${name}, on paper: the background is ${background}`, background === 'rgb(255, 255, 255)');
  expect(`${name}, on paper: ${wider} pixels wider than the sheet`, wider <= 0);
  await page.screenshot({ path: join(folder, `${name}-print.png`), fullPage: true });
  const margin = { top: '1cm', bottom: '1cm', left: '1cm', right: '1cm' };
  await page.pdf({ path: join(folder, `${name}.pdf`), format: 'A4', margin });
  await context.close();
}

const missing = installPackage('chromium', () => works('chromium', '--version'));
if (missing !== undefined) conclude(0, [], missing);
else {
  const folder = resolve(process.argv[2] ?? mkdtempSync(join(tmpdir(), 'epsilon-reports-')));
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  for (const [name, make] of Object.entries(pages)) {
    const path = join(folder, `${name}.html`);
    writeFileSync(path, make());
    const shown = { name, url: pathToFileURL(path).href, folder };
    await onScreen(browser, shown);
    await onPaper(browser, shown);
  }
  await browser.close();
  process.stdout.write(`Screenshots: ${folder}\n`);
  conclude(compared, faults);
}
