import { hour } from './spot-market.ts';

/** vCPU of a node that is paid for, and what is left of it for jobs (docs/capacity.md). */
const nodeVcpus = 16;
const allocatable = 15.5;

/** How long an empty node stays before it is removed (the cluster autoscaler's default). */
const idleTail = 600_000;

interface Node {
  free: number;
  readonly since: number;
  /** Since when it is empty. */
  emptyAt?: number;
}

/** Nodes of one kind of capacity: jobs go where least is left over, an empty node stays for a while, all of it is paid for. */
export class Nodes {
  readonly #nodes = new Set<Node>();
  readonly #priceAt: (at: number) => number;
  readonly #placed = new Map<string, { readonly node: Node; readonly cpu: number }>();
  #cost = 0;

  constructor(priceAt: (at: number) => number) {
    this.#priceAt = priceAt;
  }

  place(name: string, cpu: number, now: number): void {
    this.#sweep(now);
    const fitting = [...this.#nodes].filter(({ free }) => free >= cpu).sort((a, b) => a.free - b.free);
    const node = fitting[0] ?? { free: allocatable, since: now };
    this.#nodes.add(node);
    node.free -= cpu;
    delete node.emptyAt;
    this.#placed.set(name, { node, cpu });
  }

  leave(name: string, now: number): void {
    const placed = this.#placed.get(name);
    if (!placed) return;
    this.#placed.delete(name);
    placed.node.free += placed.cpu;
    if (placed.node.free >= allocatable) placed.node.emptyAt = now;
  }

  /** What all nodes cost until they are gone, in vCPU hours of on-demand. */
  cost(): number {
    this.#sweep(Number.POSITIVE_INFINITY);
    return this.#cost;
  }

  #sweep(now: number): void {
    for (const node of this.#nodes) {
      if (node.emptyAt === undefined || node.emptyAt + idleTail > now) continue;
      const until = node.emptyAt + idleTail;
      this.#cost += (nodeVcpus * this.#priceAt(node.since) * (until - node.since)) / hour;
      this.#nodes.delete(node);
    }
  }
}
