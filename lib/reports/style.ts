/** Colours of a page by scheme; text on its background has a contrast of at least 4.5 to 1 in both. */
const light = `
  --back: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de; --card: #f6f8fa;
  --series0: #0b5cad; --series1: #b3540a; --series2: #1a7f52; --series3: #7a3fb0;
  --band: #0b5cad26; --good: #1a7f37; --warning: #9a6700; --critical: #c0182b; --inside: #ffffff;`;

const dark = `
  --back: #0f1318; --text: #e6edf3; --quiet: #9aa5b1; --line: #30363d; --card: #171c23;
  --series0: #6cb2ff; --series1: #ffa657; --series2: #56d39b; --series3: #c79bff;
  --band: #6cb2ff33; --good: #56d364; --warning: #e3b341; --critical: #ff7b84; --inside: #0f1318;`;

const series = [0, 1, 2, 3].map(
  (index) =>
    `.line.series${index}{stroke:var(--series${index})}.bar.series${index},.dot.series${index}{fill:var(--series${index})}.key.series${index}{background:var(--series${index})}`,
);

/** The style sheet of every report. */
export const style = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme: dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 3rem;background:var(--back);color:var(--text);
  font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:0}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
p{margin:.5rem 0}
.made,.none{color:var(--quiet)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem;margin:1rem 0;padding:.8rem 1rem;background:var(--card);border-radius:8px}
dt{color:var(--quiet)}dd{margin:0}
.good{color:var(--good)}.warning{color:var(--warning)}.critical{color:var(--critical)}
dd.good,dd.warning,dd.critical{font-weight:600}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .7rem .35rem 0;border-bottom:1px solid var(--line);min-width:4rem}
th{color:var(--quiet);font-weight:600;white-space:nowrap}
.number{text-align:right}
figure{margin:1.2rem 0;break-inside:avoid}
figcaption{font-weight:600;margin-bottom:.25rem}
svg{display:block;width:100%;min-width:34rem;height:auto;font-size:12px}
svg text{fill:var(--text)}svg text.tick{fill:var(--quiet)}svg text.inside{fill:var(--inside)}
.grid{stroke:var(--line);stroke-width:1}
.limit{stroke:var(--quiet);stroke-width:1.2;stroke-dasharray:5 4}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}
.band{fill:var(--band)}
.mark{fill:var(--back);stroke-width:2}
.mark.warning{stroke:var(--warning)}.mark.critical{stroke:var(--critical);fill:var(--critical)}
.mark.good{stroke:var(--good)}.mark.neutral{stroke:var(--quiet)}
.span.neutral{fill:var(--quiet)}.span.good{fill:var(--good)}.span.warning{fill:var(--warning)}.span.critical{fill:var(--critical)}
${series.join('\n')}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.2rem 0 .4rem;padding:0;list-style:none;color:var(--quiet);font-size:.88rem}
.key{display:inline-block;width:1.1em;height:.35em;margin-right:.45em;vertical-align:middle}
.key.band{height:.8em;background:var(--band)}
.key.mark{width:.75em;height:.75em;border:2px solid currentColor;border-radius:50%;background:none}
.key.mark.critical{border-radius:0;transform:rotate(45deg) scale(.8);background:currentColor}
@media (max-width: 30rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
@media print{
  :root{${light}}
  body{max-width:none;padding:0;font-size:10.5pt}
  *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
  .wide{overflow:visible}svg{min-width:0}
  h2{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}
}`;
