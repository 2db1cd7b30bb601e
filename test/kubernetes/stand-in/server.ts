import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ClusterAccess } from '../../../lib/kubernetes/api-server.ts';
import { bodyOf } from '../../../lib/kubernetes/http.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import { schemaFaults } from '../schema.ts';
import { JobController } from './job-controller.ts';
import { type ApiObject, mergePatch, Refusal } from './objects.ts';
import { selects } from './selectors.ts';
import { Store } from './store.ts';
import { Watches } from './watches.ts';

/** A request as a fault sees it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What goes wrong with one request: refused before it is done, or done and never answered. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly message?: string }
  | 'answer lost'
  | undefined;

const resources =
  /^\/(?:api\/v1|apis\/[^/]+\/v1)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/;

const listKinds: Readonly<Record<string, string>> = {
  jobs: 'JobList',
  pods: 'PodList',
  nodes: 'NodeList',
  leases: 'LeaseList',
};

/**
 * The API server as far as runner and watcher use it: create, get, list (selectors, pages), watch (versions, bookmarks,
 * expiry), update, merge patch, delete, the status, binding and eviction subresources; and the job controller behind it.
 * Objects that do not fit the published schema are refused, as the real one does under `fieldValidation=Strict`.
 */
export class StandIn {
  readonly store: Store;
  readonly watches: Watches;
  /** Absent where a test or a benchmark writes the states of jobs itself. */
  readonly controller?: JobController;
  /** Every request, in order, as `GET /path?query`. */
  readonly requests: string[] = [];
  /** Decides what goes wrong with a request. */
  fault: (seen: Seen) => Fault = () => undefined;
  readonly #clock: Clock;
  readonly #server: Server;
  #port = 0;

  constructor(clock: Clock, { controller = true }: { readonly controller?: boolean } = {}) {
    this.#clock = clock;
    this.store = new Store(clock);
    this.watches = new Watches(this.store);
    if (controller) this.controller = new JobController(this.store, clock, 'ml-jobs');
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.#port = typeof address === 'object' && address ? address.port : 0;
  }

  access(): ClusterAccess {
    const endpoint = { server: `http://127.0.0.1:${this.#port}` };
    return { endpoint: async () => endpoint, token: async () => 'token', refresh: () => undefined };
  }

  async close(): Promise<void> {
    this.watches.close('end');
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const method = request.method ?? 'GET';
    const body = await bodyOf(request);
    this.requests.push(`${method} ${decodeURIComponent(url.pathname + url.search)}`);
    const fault = this.fault({ method, path: url.pathname, query: url.searchParams });
    if (fault && fault !== 'answer lost') {
      this.#refuse(
        response,
        new Refusal(fault.status, 'Injected', fault.message ?? 'injected'),
        fault.headers,
      );
      return;
    }
    try {
      const answer = this.#answer(method, url, body, response);
      if (fault === 'answer lost') request.socket.destroy();
      else if (answer) this.#send(response, method === 'POST' ? 201 : 200, answer);
    } catch (error) {
      if (fault === 'answer lost') request.socket.destroy();
      else if (error instanceof Refusal) this.#refuse(response, error);
      else this.#refuse(response, new Refusal(500, 'InternalError', String(error)));
    }
  }

  #answer(method: string, url: URL, body: string, response: ServerResponse): object | undefined {
    const match = resources.exec(url.pathname);
    if (!match) throw new Refusal(404, 'NotFound', `no such path ${url.pathname}`);
    const [, , resource = '', name, subresource] = match;
    if (name === undefined && method === 'GET' && url.searchParams.get('watch') === 'true')
      return this.#watch(resource, url.searchParams, response);
    if (name === undefined && method === 'GET') return this.#list(resource, url.searchParams);
    if (name === undefined) return this.#create(resource, JSON.parse(body) as ApiObject);
    if (subresource === 'binding') return this.#bind(name, JSON.parse(body));
    if (subresource === 'eviction') return this.#evict(name);
    if (method === 'GET') return this.store.get(resource, name);
    if (method === 'PATCH') return this.#patch(resource, name, JSON.parse(body), subresource);
    if (method === 'PUT') return this.#checked(resource, JSON.parse(body) as ApiObject, 'update');
    if (method === 'DELETE') return this.#delete(resource, name, url.searchParams, body);
    throw new Refusal(405, 'MethodNotAllowed', method);
  }

  #checked(resource: string, object: ApiObject, verb: 'create' | 'update'): ApiObject {
    const faults = schemaFaults(object);
    if (faults.length > 0)
      throw new Refusal(400, 'BadRequest', `strict decoding error: ${faults.join('; ')}`);
    return this.store[verb](resource, object);
  }

  #create(resource: string, object: ApiObject): ApiObject {
    return this.#checked(resource, object, 'create');
  }

  #list(resource: string, query: URLSearchParams): object {
    const [version = String(this.store.version), from = '0'] = (query.get('continue') ?? '')
      .split('.')
      .filter(Boolean);
    if (Number(version) < this.store.oldest)
      throw new Refusal(410, 'Expired', 'the provided continue parameter is too old');
    const all = this.store
      .list(resource)
      .filter(selects(query.get('labelSelector'), query.get('fieldSelector')));
    const end = Number(from) + Number(query.get('limit') ?? all.length);
    const more = end < all.length ? { continue: `${version}.${end}` } : {};
    const metadata = { resourceVersion: version, ...more };
    return { kind: listKinds[resource], apiVersion: 'v1', metadata, items: all.slice(Number(from), end) };
  }

  #watch(resource: string, query: URLSearchParams, response: ServerResponse): undefined {
    const bookmarks = query.get('allowWatchBookmarks') === 'true';
    const test = selects(query.get('labelSelector'), query.get('fieldSelector'));
    this.watches.begin(
      { resource, selects: test, response, bookmarks },
      Number(query.get('resourceVersion') ?? '0'),
    );
    return undefined;
  }

  #patch(
    resource: string,
    name: string,
    patch: Record<string, unknown>,
    subresource: string | undefined,
  ): ApiObject {
    const current = this.store.get(resource, name);
    const { status, ...rest } = patch;
    const part = subresource === 'status' ? { status } : rest;
    const next = mergePatch(current, part) as ApiObject;
    // A merge patch that names a version changes that version only.
    const asked = (patch['metadata'] as ApiObject['metadata'] | undefined)?.resourceVersion;
    const metadata = { ...next.metadata, resourceVersion: asked ?? current.metadata.resourceVersion ?? '' };
    return this.#checked(resource, { ...next, metadata }, 'update');
  }

  #bind(name: string, binding: { target: { name: string } }): object {
    const pod = this.store.get('pods', name);
    const conditions = [{ type: 'PodScheduled', status: 'True', lastTransitionTime: this.#now() }];
    this.store.update('pods', {
      ...pod,
      spec: { ...pod.spec, nodeName: binding.target.name },
      status: { ...pod.status, conditions },
    });
    return { kind: 'Status', status: 'Success' };
  }

  #evict(name: string): object {
    const pod = this.store.get('pods', name);
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
      lastTransitionTime: this.#now(),
    };
    const conditions = [...((pod.status?.['conditions'] as object[] | undefined) ?? []), condition];
    this.store.update('pods', {
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: this.#now(), deletionGracePeriodSeconds: 50 },
      status: { ...pod.status, conditions },
    });
    return { kind: 'Status', status: 'Success' };
  }

  #delete(resource: string, name: string, query: URLSearchParams, body: string): object {
    const options = (body ? JSON.parse(body) : {}) as {
      gracePeriodSeconds?: number;
      propagationPolicy?: string;
    };
    const object = this.store.get(resource, name);
    const grace = options.gracePeriodSeconds ?? Number(query.get('gracePeriodSeconds') ?? '50');
    if (resource === 'pods' && grace > 0 && object.spec?.['nodeName'] !== undefined) {
      const metadata = {
        ...object.metadata,
        deletionTimestamp: this.#now(),
        deletionGracePeriodSeconds: grace,
      };
      return this.store.update('pods', { ...object, metadata });
    }
    this.store.remove(resource, name);
    if (resource === 'jobs')
      for (const pod of this.store.list('pods'))
        if (pod.metadata.labels?.['batch.kubernetes.io/job-name'] === name)
          this.store.remove('pods', pod.metadata.name);
    return { kind: 'Status', status: 'Success' };
  }

  #send(response: ServerResponse, status: number, value: object, headers: Record<string, string> = {}): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  }

  #refuse(
    response: ServerResponse,
    { status, reason, message }: Refusal,
    headers: Record<string, string> = {},
  ): void {
    const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code: status };
    this.#send(response, status, body, headers);
  }

  #now(): string {
    return `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
  }
}
