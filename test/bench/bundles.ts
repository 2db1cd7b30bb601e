import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { parse } from 'yaml';
import bundling from '../../infra/serverless/bundling.ts';
import { writeLazyBundle } from '../../infra/serverless/lazy-bundle.ts';
import { deploymentVariables } from '../../lib/config/deployment.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';

/** Fresh processes per figure; medians are taken. */
const rounds = 9;

/** Functions that every stage of every run goes through. */
const hot = ['submitStage', 'completeJob', 'reconcileJobs'];

/** Program of a fresh process: loads a file, then calls its handler with something that no schema takes. */
const program = `
const write = process.stdout.write;
const cpu = (since) => { const { user, system } = process.cpuUsage(since); return (user + system) / 1000; };
const say = (figures) => { write.call(process.stdout, JSON.stringify(figures)); process.exit(0); };
process.stdout.write = () => true;
(async () => {
  const file = process.argv[2];
  const before = process.cpuUsage(), began = performance.now();
  const { handler } = file.endsWith('.mjs') ? await import(file) : require(file);
  const load = performance.now() - began, loadCpu = cpu(before);
  const used = process.cpuUsage(), called = performance.now();
  try {
    await handler?.('not an event', { awsRequestId: 'r', getRemainingTimeInMillis: () => 1 });
  } catch (error) {
    if (error.code !== 'EVENT_SCHEMA') say({ load, loadCpu, refused: String(error.message) });
  }
  say({ load, loadCpu, first: performance.now() - called, firstCpu: cpu(used) });
})();
`;

/** Where bundles are made, and the environment they are loaded in. */
interface Place {
  readonly folder: string;
  readonly variables: Record<string, string>;
}

interface Figures {
  readonly loadMilliseconds: number;
  readonly loadCpuMilliseconds: number;
  readonly readyMilliseconds?: number;
  readonly readyCpuMilliseconds?: number;
  /** Why a function did not become ready. */
  readonly ready?: string;
}

interface Sample {
  readonly load: number;
  readonly loadCpu: number;
  readonly first?: number;
  readonly firstCpu?: number;
  readonly refused?: string;
}

/** An environment in which a function wires itself; nothing is called. */
function environment(): Record<string, string> {
  const { service } = loadLocalService('.', {});
  const [first] = service.functions.values();
  const arn = 'arn:aws:none:us-west-2:123456789012:none';
  const resources = Object.values(deploymentVariables).map((name) => [
    name,
    /_(ARNS|URLS)$/.test(name)
      ? '{}'
      : /ACCOUNT/.test(name)
        ? '123456789012'
        : /_ARN$/.test(name)
          ? arn
          : 'aws',
  ]);
  return {
    ...first?.environment,
    ...(Object.fromEntries(resources) as Record<string, string>),
    PATH: process.env['PATH'] ?? '',
    AWS_REGION: 'us-west-2',
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Milliseconds to load and to be ready for a first event: on the clock, and of processor time, which load beside does not move. */
function measure(file: string, { folder, variables }: Place): Figures {
  const runner = join(folder, 'runner.cjs');
  writeFileSync(runner, program);
  const samples = Array.from(
    { length: rounds },
    () =>
      JSON.parse(
        execFileSync(process.execPath, [runner, file], {
          env: variables,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      ) as Sample,
  );
  const refused = samples.find((sample) => sample.refused !== undefined)?.refused;
  return {
    loadMilliseconds: median(samples.map(({ load }) => load)),
    loadCpuMilliseconds: median(samples.map(({ loadCpu }) => loadCpu)),
    ...(refused === undefined
      ? {
          readyMilliseconds: median(samples.map(({ load, first = 0 }) => load + first)),
          readyCpuMilliseconds: median(samples.map(({ loadCpu, firstCpu = 0 }) => loadCpu + firstCpu)),
        }
      : { ready: `not measured: ${refused}` }),
  };
}

/** The bundler's settings, as Serverless reads them. */
function settings(): BuildOptions {
  const file = parse(readFileSync('infra/serverless/esbuild.yml', 'utf8')) as Record<string, unknown>;
  // The rest is Serverless's own.
  const {
    plugins: _plugins,
    exclude: _,
    packager: _packager,
    concurrency: _many,
    outputFileExtension: _end,
    ...own
  } = file;
  return {
    ...(own as BuildOptions),
    bundle: true,
    plugins: bundling,
    logLevel: 'error',
    metafile: true,
  };
}

interface Bundle {
  readonly bytes: number;
  readonly clients: readonly string[];
}

async function bundle(options: BuildOptions, outfile: string): Promise<Bundle> {
  const { metafile } = await build({ ...settings(), ...options, outfile });
  // What is in the bundle, not what was looked at on the way to it.
  const inputs = Object.values(metafile?.outputs ?? {}).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const clients = new Set(
    [...inputs.join('\n').matchAll(/@aws-sdk\/(client-[a-z0-9-]+)\//g)].map(([, name = '']) => name),
  );
  return { bytes: statSync(outfile).size, clients: [...clients] };
}

type Measured = Figures & { readonly bytes: number };

/** As deep as a function's bundle lies in its package, where the Kubernetes client is two folders up. */
const bundleFile = ({ folder }: Place, key: string) => join(folder, 'functions', 'area', `${key}.cjs`);

/** One SDK client and nothing else, made once: what a function that calls the service cannot be below. */
async function bareClient(client: string, place: Place): Promise<Measured> {
  const names = Object.keys((await import(`@aws-sdk/${client}`)) as object);
  const made = names.find((key) => /^[A-Z]\w+Client$/.test(key)) ?? '';
  const outfile = join(place.folder, `bare-${client}.cjs`);
  // Named, so that the bundler can leave the other exports out.
  const contents = `import { ${made} } from '@aws-sdk/${client}'; export const client = new ${made}({ region: 'us-west-2' });`;
  const { bytes } = await bundle({ stdin: { contents, resolveDir: resolve('.') } }, outfile);
  return { bytes, ...measure(outfile, place) };
}

function heaviestOf(clients: readonly string[], bare: ReadonlyMap<string, Measured>) {
  const known = clients.flatMap((client) => {
    const measured = bare.get(client);
    return measured ? [{ client, ...measured }] : [];
  });
  return known.sort((a, b) => b.loadCpuMilliseconds - a.loadCpuMilliseconds)[0];
}

async function handlerFigures(key: string, file: string, place: Place, bare: ReadonlyMap<string, Measured>) {
  const bundled = bundleFile(place, key);
  const { bytes, clients } = await bundle({ entryPoints: [file] }, bundled);
  // Its packages from node_modules, as they are installed.
  const loose = resolve('node_modules', '.cache', `epsilon-bench-${key}.mjs`);
  await build({
    entryPoints: [file],
    outfile: loose,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'error',
  });
  const figures = { bytes, clients, ...measure(bundled, place), unbundled: measure(loose, place) };
  rmSync(loose);
  const heaviest = heaviestOf(clients, bare);
  if (!heaviest) return figures;
  const { client, loadCpuMilliseconds: floor, bytes: least } = heaviest;
  return {
    ...figures,
    heaviestClient: client,
    loadOverBareClient: figures.loadCpuMilliseconds / floor,
    bytesOverBareClient: bytes / least,
    ...(figures.readyCpuMilliseconds === undefined
      ? {}
      : { readyOverBareClient: figures.readyCpuMilliseconds / floor }),
  };
}

/**
 * Size and load time of each function's bundle, beside the same function unbundled and the bare SDK client. Ratios are of
 * processor time. `ready` counts everything up to the first event: settings, clients, log, metrics.
 */
export async function benchBundles(): Promise<Record<string, unknown>> {
  const place: Place = { folder: mkdtempSync(join(tmpdir(), 'epsilon-bundles-')), variables: environment() };
  const functions = [...loadLocalService('.', {}).service.functions.values()];
  const clients = new Set<string>();
  for (const { key, file } of functions) {
    const found = await bundle({ entryPoints: [file] }, bundleFile(place, key));
    for (const client of found.clients) clients.add(client);
  }
  const bare = new Map<string, Measured>();
  for (const client of clients) bare.set(client, await bareClient(client, place));
  const client = await writeLazyBundle(place.folder);
  const lazyBundle = { bytes: statSync(client).size, ...measure(client, place) };
  const handlers: Record<string, unknown> = {};
  for (const { key, file } of functions) handlers[key] = await handlerFigures(key, file, place, bare);
  rmSync(place.folder, { recursive: true });
  return {
    rounds,
    target: 'loadOverBareClient of hot handlers at most 1.5',
    hot,
    bareClients: Object.fromEntries(bare),
    lazyBundle,
    handlers,
  };
}
