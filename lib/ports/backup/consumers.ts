/** What a consumer says of where it works. */
export interface ConsumerReport {
  /** Of the promotion that it works by; absent when it works by none. */
  readonly epoch?: number;
  /** What it wrote into: its table, and the bucket where it writes objects. */
  readonly wrote: readonly string[];
}

/** Who reads the names of stores at run time: the functions of the control plane in one region. */
export interface Consumers {
  readonly names: readonly string[];
  /** Asks one for its report, which it gives after a write of its own; undefined when it is not deployed there. */
  report(name: string, epoch: number): Promise<ConsumerReport | undefined>;
}
