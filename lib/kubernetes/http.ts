import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { ClusterAccess, Endpoint } from './api-server.ts';

/** Milliseconds for a connection, and for silence while an answer is awaited. */
const connectMs = 3_000;

/** One request; `path` begins with "/" and includes the query. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Tries of this call, the first included; the transport's own number when absent. */
  readonly tries?: number;
}

/** Connections to one API server, kept open between calls: a new one costs two round trips and a handshake. */
export class Connections {
  readonly #access: ClusterAccess;
  #agents: { readonly endpoint: Endpoint; readonly agent: HttpAgent | HttpsAgent } | undefined;

  constructor(access: ClusterAccess) {
    this.#access = access;
  }

  async #agent(): Promise<{ readonly endpoint: Endpoint; readonly agent: HttpAgent | HttpsAgent }> {
    const endpoint = await this.#access.endpoint();
    if (this.#agents?.endpoint === endpoint) return this.#agents;
    this.close();
    const options = { keepAlive: true, keepAliveMsecs: 30_000 };
    const agent = endpoint.server.startsWith('http:')
      ? new HttpAgent(options)
      : new HttpsAgent({ ...options, ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }) });
    this.#agents = { endpoint, agent };
    return this.#agents;
  }

  /** Sends one request and gives the answer as soon as its head is there; rejects when nothing answers in time. */
  async open(outgoing: Outgoing, silenceMs: number): Promise<IncomingMessage> {
    const [{ endpoint, agent }, token] = await Promise.all([this.#agent(), this.#access.token()]);
    const url = new URL(outgoing.path, endpoint.server);
    const send = url.protocol === 'http:' ? requestHttp : requestHttps;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method: outgoing.method,
        agent,
        ...(outgoing.signal ? { signal: outgoing.signal } : {}),
        headers: {
          ...outgoing.headers,
          authorization: `Bearer ${token}`,
          // Node frames the body of some methods only when its length is set; otherwise it would be read as the next request.
          ...(outgoing.body === undefined ? {} : { 'content-length': Buffer.byteLength(outgoing.body) }),
        },
      });
      limit(request, silenceMs);
      request.once('error', reject);
      request.once('response', resolve);
      request.end(outgoing.body);
    });
  }

  close(): void {
    this.#agents?.agent.destroy();
    this.#agents = undefined;
  }
}

/** Ends a request that cannot connect, or that receives nothing for a while. */
function limit(request: ClientRequest, silenceMs: number): void {
  const late = (what: string) => Object.assign(new Error(`the API server ${what}`), { code: 'ETIMEDOUT' });
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => request.destroy(late('cannot be connected to')), connectMs);
    socket.once('connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
  });
  request.setTimeout(silenceMs, () => request.destroy(late(`was silent for ${silenceMs} ms`)));
}

/** The whole body of an answer. */
export async function bodyOf(answer: IncomingMessage): Promise<string> {
  answer.setEncoding('utf8');
  let text = '';
  for await (const chunk of answer) text += chunk;
  return text;
}
