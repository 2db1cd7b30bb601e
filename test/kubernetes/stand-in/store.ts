import type { Clock } from '../../../lib/ports/clock.ts';
import { type ApiObject, type Change, Refusal } from './objects.ts';

type Listener = (resource: string, change: Change) => void;

/** Objects of all kinds with one rising version, and the changes since the oldest one that is still remembered. */
export class Store {
  readonly #clock: Clock;
  readonly #objects = new Map<string, Map<string, ApiObject>>();
  readonly #changes = new Map<string, Change[]>();
  readonly #listeners = new Set<Listener>();
  #version = 1_000;
  #oldest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get version(): number {
    return this.#version;
  }

  /** Versions at or below it are forgotten. */
  get oldest(): number {
    return this.#oldest;
  }

  onChange(listener: Listener): void {
    this.#listeners.add(listener);
  }

  list(resource: string): ApiObject[] {
    return [...this.#of(resource).values()];
  }

  get(resource: string, name: string): ApiObject {
    const found = this.#of(resource).get(name);
    if (found) return found;
    throw new Refusal(404, 'NotFound', `${resource} "${name}" not found`);
  }

  create(resource: string, draft: ApiObject): ApiObject {
    const { name } = draft.metadata;
    if (this.#of(resource).has(name))
      throw new Refusal(409, 'AlreadyExists', `${resource} "${name}" already exists`);
    const metadata = {
      ...draft.metadata,
      uid: `uid-${this.#version + 1}`,
      creationTimestamp: this.#now(),
    };
    return this.#write(resource, 'ADDED', { ...draft, metadata });
  }

  /** Replaces an object; a version in `next` must be the current one. */
  update(resource: string, next: ApiObject): ApiObject {
    const current = this.get(resource, next.metadata.name);
    const asked = next.metadata.resourceVersion;
    if (asked !== undefined && asked !== current.metadata.resourceVersion)
      throw new Refusal(409, 'Conflict', `the object has been modified: ${asked} is not its latest version`);
    return this.#write(resource, 'MODIFIED', next);
  }

  remove(resource: string, name: string): void {
    const current = this.get(resource, name);
    this.#of(resource).delete(name);
    this.#tell(resource, 'DELETED', current);
  }

  since(resource: string, version: number): Change[] {
    return (this.#changes.get(resource) ?? []).filter((change) => change.version > version);
  }

  /** Forgets all changes up to now, as etcd does every five minutes. */
  compact(): void {
    this.#oldest = this.#version;
    this.#changes.clear();
  }

  #of(resource: string): Map<string, ApiObject> {
    const there = this.#objects.get(resource) ?? new Map<string, ApiObject>();
    this.#objects.set(resource, there);
    return there;
  }

  #now(): string {
    return `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
  }

  #write(resource: string, type: Change['type'], object: ApiObject): ApiObject {
    const stored = this.#tell(resource, type, object);
    this.#of(resource).set(stored.metadata.name, stored);
    return stored;
  }

  #tell(resource: string, type: Change['type'], object: ApiObject): ApiObject {
    this.#version += 1;
    const stored = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version) },
    };
    const change = { type, version: this.#version, object: stored };
    const changes = this.#changes.get(resource) ?? [];
    changes.push(change);
    this.#changes.set(resource, changes);
    if (type !== 'DELETED') this.#of(resource).set(stored.metadata.name, stored);
    for (const listener of this.#listeners) listener(resource, change);
    return stored;
  }
}
