/** Seconds the signed request says that it is valid. */
const validSeconds = 60;

/** Form the cluster's authenticator expects: this, then the URL in base64url without padding. */
const prefix = 'k8s-aws-v1.';

/** A request as a signer takes and gives it. */
export interface SignedRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly query?: Record<string, unknown>;
}

/** What signs: the SDK's own signer, or one of a test. */
export interface Presigner {
  presign(
    request: SignedRequest,
    options: {
      readonly expiresIn: number;
      readonly signingDate: Date;
      readonly signableHeaders: Set<string>;
    },
  ): Promise<SignedRequest>;
}

/** Which cluster the token is for. */
export interface TokenAudience {
  readonly clusterName: string;
  readonly region: string;
  /** `amazonaws.com`, or that of another partition. */
  readonly dnsSuffix: string;
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function urlOf({ protocol, hostname, path, query = {} }: SignedRequest): string {
  const pairs = Object.entries(query).map(([key, value]) => `${encode(key)}=${encode(String(value))}`);
  return `${protocol}//${hostname}${path}?${pairs.join('&')}`;
}

/**
 * A bearer token of EKS: a signed question to STS of the region ("who am I?") that only the named cluster may ask, since
 * its name is part of what is signed. Making one calls nobody.
 */
export async function makeEksToken(
  signer: Presigner,
  { clusterName, region, dnsSuffix }: TokenAudience,
  signingDate: Date,
): Promise<string> {
  const hostname = `sts.${region}.${dnsSuffix}`;
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': clusterName },
    },
    { expiresIn: validSeconds, signingDate, signableHeaders: new Set(['x-k8s-aws-id', 'host']) },
  );
  return prefix + Buffer.from(urlOf(signed)).toString('base64url');
}

/** Milliseconds a token is used for: a quarter of its life is left for the request it travels with. */
export const tokenUseMs = validSeconds * 750;
