import { type ChildProcess, spawn } from 'node:child_process';
import { freePort } from '../../free-port.ts';
import { goProgram } from './go-program.ts';
import { until } from './processes.ts';

/** A span, as the collector understood it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** Nanoseconds since 1970. */
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly { readonly key: string }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number };
}

/** One request that the collector took: the spans in it, and whose they are. */
export interface Collected {
  readonly service: string | undefined;
  readonly spans: readonly CollectedSpan[];
}

interface Line {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly key: string; readonly value: { stringValue?: string } }[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly CollectedSpan[] }[];
  }[];
}

function collected(line: string): Collected {
  const { resourceSpans } = JSON.parse(line) as Line;
  const named = resourceSpans
    .flatMap(({ resource }) => resource.attributes)
    .find(({ key }) => key === 'service.name');
  return {
    service: named?.value.stringValue,
    spans: resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  };
}

/** OpenTelemetry's own receiver of OTLP over HTTP, beside the test. */
export class Collector {
  readonly endpoint: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(program: string, address: string) {
    this.endpoint = `http://${address}/v1/traces`;
    this.#child = spawn(program, [address], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (text: Buffer) => {
      this.#output += text.toString();
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector(goProgram('collector'), `127.0.0.1:${await freePort()}`);
    await until('the collector', 20, async () =>
      // It takes nothing but posts.
      (await fetch(collector.endpoint)).status === 405 ? true : undefined,
    );
    return collector;
  }

  /** What it took so far, request by request. */
  get requests(): Collected[] {
    return this.#output
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map(collected);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve_) => this.#child.once('exit', resolve_));
    this.#child.kill('SIGTERM');
    await gone;
  }
}
