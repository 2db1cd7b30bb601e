import { parseArgs } from 'node:util';

/** `node serving/smoke.ts --requests 240 --seconds 40 --failures 0 <url>`: asks so often, evenly; ends with 1 when more were not answered with success. */
const { values, positionals } = parseArgs({
  options: {
    requests: { type: 'string', default: '240' },
    seconds: { type: 'string', default: '40' },
    failures: { type: 'string', default: '0' },
  },
  allowPositionals: true,
});
/** `Number` takes nothing for 0. */
function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

const [requests, seconds, allowed] = [values.requests, values.seconds, values.failures].map(numberOf) as [
  number,
  number,
  number,
];
const [url] = positionals;
/** Requests that one call can be asked for. */
const most = 100_000;

/** What was wrong with one answer. */
async function fault(at: string): Promise<string | undefined> {
  try {
    const response = await fetch(at, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.ok ? undefined : `status ${response.status}`;
  } catch (error) {
    return String((error as Error).cause ?? error);
  }
}

/** What would judge nothing: a bound that is no number, requests of which none is asked, or as many failures as requests. */
function misconfigured(): string | undefined {
  if (url === undefined)
    return 'usage: node serving/smoke.ts [--requests <n>] [--seconds <n>] [--failures <n>] <url>';
  if (!Number.isInteger(requests) || requests < 1 || requests > most)
    return `ANALYSIS_CONFIG: --requests ${values.requests} must be a whole number from 1 to ${most}`;
  if (!(seconds >= 0 && seconds <= 86_400))
    return `ANALYSIS_CONFIG: --seconds ${values.seconds} must be a number from 0 to 86400`;
  if (!Number.isInteger(allowed) || allowed < 0 || allowed >= requests)
    return `ANALYSIS_CONFIG: --failures ${values.failures} must be a whole number from 0 to ${requests - 1}: with as many as requests everything would pass`;
  return undefined;
}

const refusal = misconfigured();
if (url === undefined || refusal !== undefined) {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
} else {
  const faults: string[] = [];
  const asked = Array.from({ length: requests }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, (index * seconds * 1_000) / requests));
    const wrong = await fault(url);
    if (wrong !== undefined) faults.push(wrong);
  });
  await Promise.all(asked);
  process.stdout.write(
    `${JSON.stringify({ url, requests, failed: faults.length, ...(faults[0] && { first: faults[0] }) })}\n`,
  );
  process.exitCode = faults.length <= allowed ? 0 : 1;
}
