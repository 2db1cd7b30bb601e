import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { answerAct } from '../../lib/operations/release/answer-act.ts';
import { requireRelease } from '../../lib/operations/release/change-release.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { ReleaseRecords } from '../../lib/ports/release/release-records.ts';
import { openActOf, type Release, type ReleaseAct, type Released } from '../../lib/release/release.ts';
import type { Engine } from '../asl/engine/engine.ts';
import { engineCallbacks } from './engine-ports.ts';
import { type FileVersions, fileVersionRouting } from './version-routing.ts';

/** What stands in for git, Argo CD and the cluster of one environment. */
const environmentSchema = z.strictObject({
  /** Commits of the ref that Argo CD follows, the newest last. */
  commits: z.array(z.string()).default([]),
  /** Digests that are live. */
  images: z.record(z.string(), z.string()).default({}),
  /** Commit that is returned to, with its digests. */
  good: z.strictObject({ commit: z.string(), images: z.record(z.string(), z.string()) }).exactOptional(),
  /** Commit of the control plane. */
  controlPlane: z.string().exactOptional(),
});

const stateSchema = z.strictObject({
  /** Acts that fail here, as `<act> <environment>`: so that a way back can be tried. */
  fails: z.array(z.string()).default([]),
  environments: z.record(z.string(), environmentSchema).default({}),
});

type State = z.output<typeof stateSchema>;
type Environment = z.output<typeof environmentSchema>;

/** The machine whose new version a canary tenant is trained by. */
const canaryMachine = 'tenant-model-training';

/** Milliseconds that a deploy takes here, in which the canary's version is found. */
const deployMs = 6_000;

const ref = ({ releaseId, commit, images }: Released) => ({ releaseId, commit, images });

/** What an act makes of an environment. */
function after(before: Environment, { kind }: ReleaseAct, release: Release): Environment {
  const { commit, images, replaces } = release;
  const { good } = before;
  switch (kind) {
    case 'move':
      return { ...before, commits: [...before.commits, commit], images };
    case 'keep':
      return { ...before, good: { commit, images } };
    case 'deploy':
      return { ...before, controlPlane: commit };
    case 'restore':
      return replaces ? { ...before, controlPlane: replaces.commit } : before;
    case 'back': {
      const to = replaces ? ref(replaces) : good;
      return to ? { ...before, commits: [...before.commits, to.commit], images: to.images } : before;
    }
    default:
      return before;
  }
}

/**
 * Does what a release asks for, in place of a run of GitHub: git, Argo CD, the cluster and the deploy are a file of the state
 * directory (`release.json`). Acts that it names under `fails` fail.
 */
class ReleaseStandIn {
  readonly #file: string;
  readonly #versions: FileVersions;
  readonly #ports: Pick<Ports, 'releases' | 'callbacks' | 'clock'>;
  readonly #fault: (error: Error) => void;

  constructor(
    stateDir: string,
    versions: FileVersions,
    ports: Pick<Ports, 'releases' | 'callbacks' | 'clock'>,
    fault: (error: Error) => void,
  ) {
    this.#file = join(stateDir, 'release.json');
    this.#versions = versions;
    this.#ports = ports;
    this.#fault = fault;
  }

  /** The records, over which every act that is asked for is done soon. */
  watching(releases: ReleaseRecords): ReleaseRecords {
    return {
      ...releases,
      put: async (release, expected) => {
        await releases.put(release, expected);
        if (openActOf(release)) this.#later(release.releaseId);
      },
    };
  }

  /** After the machine has begun to wait. */
  #later(releaseId: string, milliseconds = 0): void {
    this.#ports.clock.setTimer(milliseconds, () => {
      this.#act(releaseId).catch((error: unknown) => this.#fault(error as Error));
    });
  }

  async #act(releaseId: string): Promise<void> {
    const release = await requireRelease(this.#ports, releaseId);
    const act = openActOf(release);
    // Played already, or given up.
    if (!act || release.sealedToken === undefined) return;
    if (act.kind === 'deploy' && !(await this.#deployed(release, act))) return;
    const state = await this.#read();
    const before = state.environments[act.environment] ?? environmentSchema.parse({});
    if (state.fails.includes(`${act.kind} ${act.environment}`)) {
      await this.#answer(
        release,
        act,
        'failed',
        `${act.kind} of ${act.environment} fails here (release.json)`,
      );
      return;
    }
    const environments = { ...state.environments, [act.environment]: after(before, act, release) };
    await this.#write({ ...state, environments });
    if (act.kind === 'deploy') await this.#versions.settle(canaryMachine);
    await this.#answer(release, act, 'done', `${act.kind} of ${act.environment}, played by this host`);
  }

  /** A deploy splits the alias first, and is over a moment later. */
  async #deployed({ releaseId }: Release, { askedAt }: ReleaseAct): Promise<boolean> {
    const left = Date.parse(askedAt) + deployMs - this.#ports.clock.now();
    if (left <= 0) return true;
    await this.#versions.split(canaryMachine);
    this.#later(releaseId, left);
    return false;
  }

  async #answer(
    { releaseId }: Release,
    { number: act }: ReleaseAct,
    outcome: 'done' | 'failed',
    said: string,
  ): Promise<void> {
    try {
      await answerAct(this.#ports, { releaseId, act, outcome, said });
    } catch (error) {
      // Somebody gave it up meanwhile.
      if ((error as { code?: string }).code !== 'ACT_NOT_OPEN') throw error;
    }
  }

  async #read(): Promise<State> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    return stateSchema.parse(JSON.parse(text));
  }

  async #write(state: State): Promise<void> {
    const draft = `${this.#file}.new`;
    await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, this.#file);
  }
}

/** Has the acts played that wait since an earlier process: what is written again is seen. */
export async function playOn({ releases }: Pick<Ports, 'releases'>): Promise<void> {
  for (const { releaseId, ...release } of await releases.list()) {
    const found = openActOf(release) && (await releases.get(releaseId));
    if (found) await releases.put(found, found.version);
  }
}

/** The ports on releases, played by this host. */
export function releasePorts(
  runtime: {
    readonly state: { readonly path: string };
    readonly stores: Pick<Ports, 'releases'>;
    readonly engine: Engine;
    readonly clock: Ports['clock'];
  },
  fault: (error: Error) => void,
) {
  const { state, stores, engine, clock } = runtime;
  const versions = fileVersionRouting(join(state.path, 'versions.json'));
  const ports = { releases: stores.releases, callbacks: engineCallbacks(engine), clock };
  const standIn = new ReleaseStandIn(state.path, versions, ports, fault);
  return {
    versions,
    releases: standIn.watching(stores.releases),
  };
}
