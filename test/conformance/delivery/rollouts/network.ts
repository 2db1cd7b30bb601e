import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Transport } from '../../../../lib/kubernetes/transport.ts';

interface Slice {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

const slices = '/apis/discovery.k8s.io/v1/namespaces/production/endpointslices';

/** When a Service began to name pods of these hashes, and no others. */
export interface Seen {
  readonly at: number;
  readonly hashes: readonly string[];
}

/** The Services of `production` as a node's proxy has them, and what their EndpointSlices named over time. */
export class PlayedNetwork {
  readonly #api: Transport;
  readonly #portOf: (ip: string) => number | undefined;
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #servers = new Map<string, Server>();
  /** What each Service named, in order. */
  readonly seen = new Map<string, Seen[]>();
  #turn = 0;
  #ended = false;
  #loop: Promise<void> | undefined;

  constructor(options: {
    readonly api: Transport;
    readonly portOf: (ip: string) => number | undefined;
    readonly hashes: ReadonlyMap<string, string>;
  }) {
    this.#api = options.api;
    this.#portOf = options.portOf;
    this.#hashes = options.hashes;
  }

  /** Where a Service answers. */
  urlOf(service: string): string {
    const address = this.#servers.get(service)?.address() as AddressInfo | undefined;
    return `http://127.0.0.1:${address?.port ?? 0}`;
  }

  async start(services: readonly string[]): Promise<void> {
    for (const service of services) {
      const server = createServer((_, response) => {
        this.#forward(service).then(
          (status) => response.writeHead(status).end(),
          () => response.writeHead(502).end(),
        );
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.#servers.set(service, server);
    }
    this.#loop = this.#watch();
  }

  async #forward(service: string): Promise<number> {
    const ports = (this.#addresses.get(service) ?? []).map(this.#portOf).filter((port) => port !== undefined);
    this.#turn += 1;
    const port = ports[this.#turn % ports.length];
    if (port === undefined) return 503;
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    return answer.status;
  }

  async #watch(): Promise<void> {
    while (!this.#ended) {
      const { body } = await this.#api.send({ method: 'GET', path: slices });
      const { items = [] } = JSON.parse(body) as { items?: readonly Slice[] };
      for (const service of this.#servers.keys()) this.#note(service, items);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  #note(service: string, items: readonly Slice[]): void {
    const addresses = items
      .filter(({ metadata }) => metadata.labels['kubernetes.io/service-name'] === service)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap((endpoint) => endpoint.addresses);
    this.#addresses.set(service, addresses);
    const hashes = [...new Set(addresses.map((ip) => this.#hashes.get(ip) ?? ip))].sort();
    const before = this.seen.get(service) ?? [];
    if (before.at(-1)?.hashes.join() !== hashes.join())
      this.seen.set(service, [...before, { at: Date.now(), hashes }]);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#loop;
    for (const server of this.#servers.values()) server.close();
  }
}

/** Users: so many requests a second, all the while. */
export class Users {
  readonly #timer: NodeJS.Timeout;
  asked = 0;
  failed = 0;

  constructor(url: string, perSecond: number) {
    this.#timer = setInterval(() => {
      this.asked += 1;
      fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
        async (answer) => {
          await answer.arrayBuffer();
          if (!answer.ok) this.failed += 1;
        },
        () => {
          this.failed += 1;
        },
      );
    }, 1_000 / perSecond);
  }

  leave(): void {
    clearInterval(this.#timer);
  }
}
