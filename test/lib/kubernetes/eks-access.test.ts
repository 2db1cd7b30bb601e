import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { createEksAccess } from '../../../lib/kubernetes/eks-access.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';

/** What SignatureV4 takes as a hash: the SDK's interface over node:crypto. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(data: Uint8Array | string) {
    this.#hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
}

const start = Date.parse('2026-11-24T02:00:00Z');
const pem = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';

function open(describeCluster?: () => Promise<object | undefined>) {
  const clock = new VirtualClock(start);
  let described = 0;
  const access = createEksAccess({
    clusterName: 'embeddings-saas-cluster',
    region: 'us-west-2',
    dnsSuffix: 'amazonaws.com',
    clock,
    describe: async () => {
      described += 1;
      if (describeCluster) return describeCluster();
      const data = Buffer.from(pem).toString('base64');
      return { endpoint: 'https://ABC.gr7.us-west-2.eks.amazonaws.com', certificateAuthority: { data } };
    },
    signer: async () =>
      new SignatureV4({
        service: 'sts',
        region: 'us-west-2',
        credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'a+b/c=' },
        sha256: Sha256 as never,
      }),
  });
  return { clock, access, described: () => described };
}

const urlOf = (token: string) =>
  new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString());

describe('access to an EKS cluster', () => {
  it('an EKS token is a signed STS request of the region, for this cluster only, without padding', async () => {
    const token = await open().access.token();
    expect(token).toMatch(/^k8s-aws-v1\.[A-Za-z0-9_-]+$/);
    const url = urlOf(token);
    expect(url.origin + url.pathname).toBe('https://sts.us-west-2.amazonaws.com/');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIDEXAMPLE/20261124/us-west-2/sts/aws4_request',
      'X-Amz-Date': '20261124T020000Z',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Security-Token': 'a+b/c=',
    });
  });

  it('an EKS token has the signature that STS computes from the URL and the cluster name', async () => {
    const url = urlOf(await open().access.token());
    const signature = url.searchParams.get('X-Amz-Signature');
    const query = [...url.searchParams]
      .filter(([key]) => key !== 'X-Amz-Signature')
      .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
      .sort()
      .join('&');
    const signedBy = (cluster: string) => {
      const canonical = [
        'GET',
        '/',
        query,
        `host:${url.host}`,
        `x-k8s-aws-id:${cluster}`,
        '',
        'host;x-k8s-aws-id',
        createHash('sha256').digest('hex'),
      ].join('\n');
      const text = [
        'AWS4-HMAC-SHA256',
        '20261124T020000Z',
        '20261124/us-west-2/sts/aws4_request',
        createHash('sha256').update(canonical).digest('hex'),
      ].join('\n');
      const key = ['20261124', 'us-west-2', 'sts', 'aws4_request'].reduce<string | Buffer>(
        (secret, part) => createHmac('sha256', secret).update(part).digest(),
        'AWS4secret',
      );
      return createHmac('sha256', key).update(text).digest('hex');
    };
    expect(signature).toBe(signedBy('embeddings-saas-cluster'));
    expect(signature).not.toBe(signedBy('another-cluster'));
  });

  it('an EKS token is renewed before its 60 seconds are over, and the endpoint is requested once', async () => {
    const { access, clock, described } = open();
    const first = await access.token();
    await clock.advance(44_000);
    expect(await access.token()).toBe(first);
    await clock.advance(2_000);
    expect(urlOf(await access.token()).searchParams.get('X-Amz-Date')).toBe('20261124T020046Z');
    const endpoint = await access.endpoint();
    expect(endpoint).toEqual({ server: 'https://ABC.gr7.us-west-2.eks.amazonaws.com', ca: pem });
    expect(await access.endpoint()).toBe(endpoint);
    expect(described()).toBe(1);
  });

  it('access to a cluster is requested again after a refusal and after a failure', async () => {
    let fail = true;
    const { access, described } = open(async () => {
      if (fail) throw new Error('no network');
      return { endpoint: 'https://x', certificateAuthority: { data: '' } };
    });
    await expect(access.endpoint()).rejects.toThrow('no network');
    fail = false;
    await access.endpoint();
    access.refresh();
    await access.endpoint();
    expect(described()).toBe(3);
  });

  it('a cluster without endpoint is reported as not ready', async () => {
    await expect(open(async () => ({})).access.endpoint()).rejects.toMatchObject({
      code: 'CLUSTER_NOT_READY',
    });
  });
});
