import type { Resources } from '../../lib/training/stages.ts';

/** What one machine has to give. */
export interface MachineCapacity {
  readonly cpu: number;
  readonly memoryMiB: number;
}

interface Waiting {
  readonly name: string;
  readonly priority: number;
  readonly order: number;
  readonly wants: Resources;
}

/** A request cut to what the machine has; `clamped` when that changed it. */
export function clamp(wants: Resources, machine: MachineCapacity): Resources & { readonly clamped: boolean } {
  const cpu = Math.min(wants.cpu, machine.cpu);
  const memoryMiB = Math.min(wants.memoryMiB, machine.memoryMiB);
  return { cpu, memoryMiB, clamped: cpu !== wants.cpu || memoryMiB !== wants.memoryMiB };
}

/**
 * Who runs next on one machine: highest priority, then first come. The head of the queue is never overtaken: a large
 * job waits until enough of the machine is free, and smaller ones behind it wait with it. So nothing starves.
 */
export class CapacityQueue {
  readonly #machine: MachineCapacity;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<string, Resources>();
  #order = 0;

  constructor(machine: MachineCapacity) {
    this.#machine = machine;
  }

  add(name: string, wants: Resources, priority: number): void {
    this.#order += 1;
    this.#waiting.push({ name, wants: clamp(wants, this.#machine), priority, order: this.#order });
    this.#waiting.sort((a, b) => b.priority - a.priority || a.order - b.order);
  }

  /** Counts a job that runs already (adopted after a restart), fitting or not. */
  occupy(name: string, wants: Resources): void {
    this.#running.set(name, clamp(wants, this.#machine));
  }

  /** Whether the job still waits: nothing has been started for it. */
  isWaiting(name: string): boolean {
    return this.#waiting.some((waiting) => waiting.name === name);
  }

  remove(name: string): boolean {
    const index = this.#waiting.findIndex((waiting) => waiting.name === name);
    if (index >= 0) this.#waiting.splice(index, 1);
    return this.#running.delete(name) || index >= 0;
  }

  /** Takes the names that may start now. */
  take(): string[] {
    const started: string[] = [];
    for (let head = this.#waiting[0]; head && this.#fits(head.wants); head = this.#waiting[0]) {
      this.#waiting.shift();
      this.#running.set(head.name, head.wants);
      started.push(head.name);
    }
    return started;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  #fits(wants: Resources): boolean {
    let { cpu, memoryMiB } = this.#machine;
    for (const used of this.#running.values()) {
      cpu -= used.cpu;
      memoryMiB -= used.memoryMiB;
    }
    // Sums of fractions of a cpu are not exact.
    return wants.cpu <= cpu + 1e-9 && wants.memoryMiB <= memoryMiB;
  }
}
