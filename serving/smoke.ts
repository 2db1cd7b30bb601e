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
const [requests, seconds, allowed] = [values.requests, values.seconds, values.failures].map(Number) as [
  number,
  number,
  number,
];
const [url] = positionals;

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

if (url === undefined || !(requests > 0 && seconds >= 0 && allowed >= 0)) {
  process.stderr.write(
    'usage: node serving/smoke.ts [--requests <n>] [--seconds <n>] [--failures <n>] <url>\n',
  );
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
