/** What a service's replicas and nodes do by themselves: a HorizontalPodAutoscaler and a group of nodes with an autoscaler. */
export interface Fleet {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Parts of a replica's request that the HPA keeps in use: 0.7 of cpu, 0.8 of memory. */
  readonly cpuTarget: number;
  readonly memoryTarget: number;
  /** Seconds for which the lowest wish of the HPA counts before it adds, the highest before it removes. */
  readonly upSeconds: number;
  readonly downSeconds: number;
  /** Replicas that a node holds beside what runs on every node. */
  readonly podsPerNode: number;
  readonly minNodes: number;
  readonly maxNodes: number;
  /** From the autoscaler's order until a node takes pods. */
  readonly nodeStartSeconds: number;
  /** From a node until a pod is ready on it. */
  readonly podStartSeconds: number;
}

/** The backend's HPA and the general node group, three replicas of half a core on a t3.large. */
export const specFleet: Fleet = {
  minReplicas: 3,
  maxReplicas: 20,
  cpuTarget: 0.7,
  memoryTarget: 0.8,
  upSeconds: 60,
  downSeconds: 300,
  podsPerNode: 3,
  minNodes: 2,
  maxNodes: 10,
  nodeStartSeconds: 300,
  podStartSeconds: 30,
};

/** What a replay is given beside the demand. */
export interface ReplayOptions {
  /** Least replicas in a minute, beside the fleet's own. */
  readonly floorAt?: (minute: number) => number;
  /** What the HPA believes the load is in each minute, where it knows better than to measure. */
  readonly foreseen?: Float64Array;
  /** Minutes in which a spot node is taken away, rising; several of one minute take several. */
  readonly losses?: readonly number[];
}

/** What came of it. */
export interface Played {
  readonly minutes: number;
  /** Minutes in which the demand was above what the ready replicas ask for. */
  readonly shortMinutes: number;
  /** Demand that was not covered, in replicas times minutes. */
  readonly shortReplicaMinutes: number;
  readonly replicaMinutes: number;
  /** From the order of a node to its end. */
  readonly nodeMinutes: number;
}

/** Seconds between two looks of the HPA, as Kubernetes has it. */
const stepSeconds = 15;
const stepsPerMinute = 60 / stepSeconds;

/** Change below which the HPA does nothing. */
const tolerance = 0.1;

/** Seconds until usage is in the metrics. */
const metricsSeconds = 30;

/** A replica uses at most so many times its request; the limit of a pod beside its request. */
const mostUse = 2;

/** Memory of a replica: a part of its request that it always has, and what comes with its use of cpu. */
const memory = { idle: 0.45, busy: 0.3 } as const;

/** Seconds that the node autoscaler takes to see what does not fit, and to give up a node that is not needed. */
const nodeAutoscaler = { seesAfter: 15, removesAfter: 600 } as const;

/** What the HPA wished in the last steps; kept as a ring. */
class Wishes {
  private readonly ring: number[] = [];
  private at = 0;

  constructor(steps: number, first: number) {
    for (let step = 0; step < Math.max(1, steps); step += 1) this.ring.push(first);
  }

  add(wish: number): void {
    this.ring[this.at] = wish;
    this.at = (this.at + 1) % this.ring.length;
  }

  least(): number {
    return Math.min(...this.ring);
  }

  most(): number {
    return Math.max(...this.ring);
  }
}

/** Things that are ready after a while, oldest first: when, and how many. */
class Starting {
  private readonly due: { readonly at: number; count: number }[] = [];
  count = 0;

  add(at: number, count: number): void {
    if (count <= 0) return;
    this.due.push({ at, count });
    this.count += count;
  }

  /** Those that are ready by now. */
  take(now: number): number {
    let taken = 0;
    while (this.due[0] !== undefined && this.due[0].at <= now) taken += this.due.shift()?.count ?? 0;
    this.count -= taken;
    return taken;
  }

  /** Gives up the newest, at most so many; tells how many. */
  drop(most: number): number {
    let dropped = 0;
    while (dropped < most) {
      const last = this.due.at(-1);
      if (!last) break;
      const now = Math.min(last.count, most - dropped);
      last.count -= now;
      dropped += now;
      if (last.count === 0) this.due.pop();
    }
    this.count -= dropped;
    return dropped;
  }
}

/** Pods and nodes: packed, because the autoscaler moves pods together before it removes a node. */
class Machines {
  ready: number;
  pending = 0;
  nodes: number;
  private readonly starting = new Starting();
  private readonly booting = new Starting();
  private pendingSince = 0;
  private unneededSince: number | undefined;
  private readonly fleet: Fleet;

  constructor(fleet: Fleet, replicas: number) {
    this.fleet = fleet;
    this.ready = replicas;
    this.nodes = Math.max(fleet.minNodes, Math.ceil(replicas / fleet.podsPerNode));
  }

  get paid(): number {
    return this.nodes + this.booting.count;
  }

  get pods(): number {
    return this.ready + this.starting.count + this.pending;
  }

  /** Makes the number of pods what is wanted. */
  scale(replicas: number, now: number): void {
    let surplus = this.pods - replicas;
    if (surplus < 0) {
      if (this.pending === 0) this.pendingSince = now;
      this.pending -= surplus;
      return;
    }
    const waiting = Math.min(surplus, this.pending);
    this.pending -= waiting;
    surplus -= waiting;
    surplus -= this.starting.drop(surplus);
    this.ready -= surplus;
  }

  /** A node goes, with its share of the pods, which wait for another place. */
  lose(now: number): void {
    if (this.nodes === 0) return;
    const gone = Math.ceil(this.ready / this.nodes);
    this.nodes -= 1;
    this.ready -= gone;
    if (this.pending === 0) this.pendingSince = now;
    this.pending += gone;
  }

  /** What starts and ends by itself until now. */
  pass(now: number): void {
    const { fleet } = this;
    this.nodes += this.booting.take(now);
    this.ready += this.starting.take(now);
    const free = this.nodes * fleet.podsPerNode - this.ready - this.starting.count;
    const placed = Math.max(0, Math.min(this.pending, free));
    this.pending -= placed;
    this.starting.add(now + fleet.podStartSeconds, placed);
    const wanted = Math.max(fleet.minNodes, Math.ceil(this.pods / fleet.podsPerNode));
    const missing = Math.min(wanted, fleet.maxNodes) - this.paid;
    const seen = this.pending > 0 && now - this.pendingSince >= nodeAutoscaler.seesAfter;
    if (missing > 0 && (seen || this.paid < fleet.minNodes))
      this.booting.add(now + fleet.nodeStartSeconds, missing);
    if (wanted >= this.nodes) this.unneededSince = undefined;
    else if (this.unneededSince === undefined) this.unneededSince = now;
    else if (now - this.unneededSince >= nodeAutoscaler.removesAfter) {
      this.nodes = wanted;
      this.unneededSince = undefined;
    }
  }
}

/** The HPA: what it wishes for, and what it sets. */
class Hpa {
  private readonly up: Wishes;
  private readonly down: Wishes;
  private readonly fleet: Fleet;
  replicas: number;

  constructor(fleet: Fleet, replicas: number) {
    this.fleet = fleet;
    this.replicas = replicas;
    this.up = new Wishes(Math.round(fleet.upSeconds / stepSeconds), replicas);
    this.down = new Wishes(Math.round(fleet.downSeconds / stepSeconds), replicas);
  }

  look(load: number, ready: number, floor: number): void {
    const { fleet, replicas } = this;
    const use = load / Math.max(1, ready);
    const byMemory = ((memory.idle + memory.busy * use) * ready) / fleet.memoryTarget;
    const wanted = Math.max(load / fleet.cpuTarget, byMemory);
    const wish = Math.abs(wanted / replicas - 1) <= tolerance ? replicas : Math.ceil(wanted - 1e-9);
    this.up.add(wish);
    this.down.add(wish);
    let next = replicas;
    if (this.up.least() > replicas) next = Math.min(this.up.least(), Math.max(2 * replicas, replicas + 4));
    else if (this.down.most() < replicas) next = this.down.most();
    const least = Math.min(Math.max(floor, fleet.minReplicas), fleet.maxReplicas);
    this.replicas = Math.min(fleet.maxReplicas, Math.max(least, next));
  }
}

/**
 * Plays a demand (in replicas at 100 % of their request, one value a minute) through a fleet, in steps of 15 seconds: the HPA's
 * targets, tolerance, stabilisation and pace; pods that wait for nodes; nodes that take their time and are kept ten minutes too long.
 */
export function replay(demand: Float64Array, fleet: Fleet, options: ReplayOptions = {}): Played {
  const { floorAt, foreseen, losses = [] } = options;
  const first = Math.min(
    fleet.maxReplicas,
    Math.max(fleet.minReplicas, floorAt?.(0) ?? 0, Math.ceil((demand[0] ?? 0) / fleet.cpuTarget)),
  );
  const hpa = new Hpa(fleet, first);
  const machines = new Machines(fleet, first);
  const uses: number[] = Array.from({ length: metricsSeconds / stepSeconds + 1 }, () => demand[0] ?? 0);
  const sums = { shortMinutes: 0, shortReplicaMinutes: 0, replicaMinutes: 0, nodeMinutes: 0 };
  let lost = 0;
  for (let minute = 0; minute < demand.length; minute += 1) {
    const load = demand[minute] ?? 0;
    const floor = floorAt?.(minute) ?? 0;
    let short = 0;
    for (let step = 0; step < stepsPerMinute; step += 1) {
      const now = minute * 60 + step * stepSeconds;
      for (; (losses[lost] ?? Number.POSITIVE_INFINITY) <= minute; lost += 1) machines.lose(now);
      machines.pass(now);
      uses.push(Math.min(load, machines.ready * mostUse));
      const measured = uses.shift() ?? 0;
      hpa.look(foreseen ? (foreseen[minute] ?? load) : measured, machines.ready, floor);
      machines.scale(hpa.replicas, now);
      short = Math.max(short, load - machines.ready);
      sums.replicaMinutes += hpa.replicas / stepsPerMinute;
      sums.nodeMinutes += machines.paid / stepsPerMinute;
    }
    if (short > 1e-9) {
      sums.shortMinutes += 1;
      sums.shortReplicaMinutes += short;
    }
  }
  return { minutes: demand.length, ...sums };
}

/** The highest demand of the minutes from each on, so far ahead. */
export function highestAhead(demand: Float64Array, minutes: number): Float64Array {
  return demand.map((_, at) => {
    let most = 0;
    for (let ahead = 0; ahead <= minutes; ahead += 1) most = Math.max(most, demand[at + ahead] ?? 0);
    return most;
  });
}
