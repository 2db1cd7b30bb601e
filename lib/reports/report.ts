import { renderBars } from './bars.ts';
import type { Block, Report, Section } from './blocks.ts';
import { escaped } from './escaped.ts';
import { renderLineChart } from './line-chart.ts';
import { style } from './style.ts';
import { renderFacts, renderTable } from './table.ts';
import { renderTimeline } from './timeline.ts';

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p>${escaped(block.text)}</p>`;
    case 'facts':
      return renderFacts(block);
    case 'table':
      return renderTable(block);
    case 'lines':
      return renderLineChart(block);
    case 'bars':
      return renderBars(block);
    case 'timeline':
      return renderTimeline(block);
  }
}

function renderSection({ heading, blocks }: Section): string {
  return `<section><h2>${escaped(heading)}</h2>\n${blocks.map(renderBlock).join('\n')}\n</section>`;
}

/**
 * One page of HTML that needs nothing else: no script, no network, no font of its own. It follows the reader's choice of light or
 * dark, prints in black on white, and every text in it is escaped, so that what tenants call their things cannot become markup.
 */
export function renderReport({ title, madeAt, blocks, sections }: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header><h1>${escaped(title)}</h1><p class="made">Made ${escaped(madeAt)}. All times are UTC.</p></header>
<main>
${blocks.map(renderBlock).join('\n')}
${sections.map(renderSection).join('\n')}
</main>
</body>
</html>
`;
}
