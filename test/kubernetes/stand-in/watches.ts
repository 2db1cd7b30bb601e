import type { ServerResponse } from 'node:http';
import type { ApiObject, Change } from './objects.ts';
import type { Store } from './store.ts';

/** One open watch. */
interface Watch {
  readonly resource: string;
  readonly selects: (object: ApiObject) => boolean;
  readonly response: ServerResponse;
  readonly bookmarks: boolean;
}

const expired = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason: 'Expired',
  code: 410,
  message: 'too old resource version',
};

/** The open watches of the stand-in. */
export class Watches {
  readonly #store: Store;
  readonly #open = new Set<Watch>();

  constructor(store: Store) {
    this.#store = store;
    store.onChange((resource, change) => {
      for (const watch of this.#open) if (watch.resource === resource) this.#send(watch, change);
    });
  }

  get count(): number {
    return this.#open.size;
  }

  /** Begins a watch after `version`; a forgotten version gets the error as an event, as the API server's cache tells it. */
  begin(watch: Watch, version: number): void {
    const { response, resource } = watch;
    response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
    response.flushHeaders();
    if (version < this.#store.oldest) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: expired })}\n`);
      return;
    }
    this.#open.add(watch);
    response.once('close', () => this.#open.delete(watch));
    for (const change of this.#store.since(resource, version)) this.#send(watch, change);
  }

  /** Tells every watch that allows it how far it has come. */
  bookmark(): void {
    for (const { resource, response, bookmarks } of this.#open) {
      const kind = resource === 'jobs' ? 'Job' : 'Pod';
      const object = { kind, metadata: { resourceVersion: String(this.#store.version) } };
      if (bookmarks) response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }
  }

  /** Ends all of them: politely, as at the end of their time, or by cutting the connection in the middle of a line. */
  close(how: 'end' | 'cut'): void {
    for (const { response } of this.#open) {
      if (how === 'end') response.end();
      else {
        response.write('{"type":"MODI');
        response.destroy();
      }
    }
    this.#open.clear();
  }

  #send({ selects, response }: Watch, { type, object }: Change): void {
    if (!selects(object)) return;
    const line = `${JSON.stringify({ type, object })}\n`;
    // In two pieces: a chunk ends where the network likes.
    response.write(line.slice(0, line.length / 2));
    response.write(line.slice(line.length / 2));
  }
}
