import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterAccess, Endpoint } from './api-server.ts';
import { makeEksToken, type Presigner, type TokenAudience, tokenUseMs } from './eks-token.ts';

/** The part of DescribeCluster's answer that is read. */
export interface DescribedCluster {
  readonly endpoint?: string | undefined;
  readonly certificateAuthority?: { readonly data?: string | undefined } | undefined;
}

/** What access to an EKS cluster is made of. */
export interface EksAccessOptions extends TokenAudience {
  readonly clock: Clock;
  /** Asks EKS; called once, and again after the cluster refused us. */
  readonly describe: (clusterName: string) => Promise<DescribedCluster | undefined>;
  readonly signer: () => Promise<Presigner>;
}

function endpointOf(clusterName: string, cluster: DescribedCluster | undefined): Endpoint {
  const data = cluster?.certificateAuthority?.data;
  if (cluster?.endpoint === undefined || data === undefined) {
    throw new EpsilonError(
      'CLUSTER_NOT_READY',
      `Cluster ${clusterName} has no endpoint or no certificate yet.`,
      {
        exitCode: exitCodes.backend,
        retryable: true,
      },
    );
  }
  return { server: cluster.endpoint, ca: Buffer.from(data, 'base64').toString('utf8') };
}

/** Keeps what a promise gave; a failure is not kept, so that the next call asks again. */
function kept<T>(make: () => Promise<T>): { get(): Promise<T>; forget(): void } {
  let value: Promise<T> | undefined;
  return {
    get: () => {
      value ??= make().catch((error: unknown) => {
        value = undefined;
        throw error;
      });
      return value;
    },
    forget: () => {
      value = undefined;
    },
  };
}

/** Reaches an EKS cluster: endpoint and certificate asked for once per process, tokens made before they run out. */
export function createEksAccess(options: EksAccessOptions): ClusterAccess {
  const { clock, clusterName, describe } = options;
  let madeAt = 0;
  const endpoint = kept(async () => endpointOf(clusterName, await describe(clusterName)));
  const token = kept(async () => {
    madeAt = clock.now();
    return makeEksToken(await options.signer(), options, new Date(madeAt));
  });
  return {
    endpoint: endpoint.get,
    token: () => {
      if (clock.now() - madeAt >= tokenUseMs) token.forget();
      return token.get();
    },
    refresh: () => {
      token.forget();
      // A cluster whose certificate was rotated, or that was created again, refuses the remembered endpoint and certificate.
      endpoint.forget();
    },
  };
}
