import { describe, expect, it } from 'vitest';
import { hpaReplicaFloor } from '../../../lib/kubernetes/replica-floor.ts';
import type { Transport } from '../../../lib/kubernetes/transport.ts';
import { replicaFloorContract } from '../../contract/replica-floor.ts';

const autoscaler = { namespace: 'production', name: 'backend-api-hpa' };

interface Applied {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** An API server with one autoscaler, which applies for one field manager as a server does: what is left out of an apply goes. */
function serverWith(refuses?: { readonly status: number; readonly body: string }) {
  let minReplicas = 3;
  let annotations: Readonly<Record<string, string>> = { other: 'stays' };
  const sent: { method: string; path: string; body?: string }[] = [];
  const transport: Pick<Transport, 'send'> = {
    async send({ method, path, body, headers }) {
      sent.push({ method, path, ...(body === undefined ? {} : { body }) });
      if (refuses) return { ...refuses, headers: {} };
      if (method === 'PATCH') {
        expect(headers?.['content-type']).toBe('application/apply-patch+yaml');
        const { metadata, spec } = JSON.parse(body ?? '') as Applied;
        expect(Object.keys(spec)).toEqual(['minReplicas']);
        minReplicas = Number(spec['minReplicas']);
        annotations = { other: 'stays', ...metadata.annotations };
      }
      const object = { metadata: { annotations }, spec: { minReplicas, maxReplicas: 20 } };
      return { status: 200, headers: {}, body: JSON.stringify(object) };
    },
  };
  return { floor: hpaReplicaFloor(transport as Transport, autoscaler), sent };
}

replicaFloorContract('a HorizontalPodAutoscaler', () => serverWith().floor);

describe('floor of a HorizontalPodAutoscaler', () => {
  it('apply names its own field manager and takes the one field', async () => {
    const { floor, sent } = serverWith();
    await floor.set({ minReplicas: 5 });
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /apis/autoscaling/v2/namespaces/production/horizontalpodautoscalers/backend-api-hpa',
      'PATCH /apis/autoscaling/v2/namespaces/production/horizontalpodautoscalers/backend-api-hpa?fieldManager=epsilon-scaling&force=true',
    ]);
  });

  it('autoscaler that is not there has no floor, and none is made', async () => {
    const { floor, sent } = serverWith({ status: 404, body: '{}' });
    expect(await floor.current()).toBeUndefined();
    await expect(floor.set({ minReplicas: 5 })).rejects.toMatchObject({ code: 'AUTOSCALER_NOT_FOUND' });
    expect(sent.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  it.each([
    [403, 'KUBERNETES_ACCESS_DENIED'],
    [429, 'Throttled'],
    [503, 'Throttled'],
  ])('answer %i is %s', async (status, name) => {
    const { floor } = serverWith({ status, body: '{"message":"no"}' });
    await expect(floor.current()).rejects.toMatchObject({ name });
  });
});
