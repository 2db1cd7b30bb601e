/** Where an API server answers, and whom it may be. */
export interface Endpoint {
  /** `https://host[:port]`. */
  readonly server: string;
  /** Certificates it must show, as PEM; those of the system when absent. */
  readonly ca?: string;
}

/** How a cluster is reached; what it holds is fetched on first use and kept. */
export interface ClusterAccess {
  endpoint(): Promise<Endpoint>;
  /** A bearer token that is valid now. */
  token(): Promise<string>;
  /** Forgets what may be stale after the server refused a token. */
  refresh(): void;
}
