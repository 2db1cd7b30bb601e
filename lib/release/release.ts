import { createHash } from 'node:crypto';

/** What a release asks of whoever acts for it; each is a program of infra/release, or of the embedded runtime's stand-in. */
export const actKinds = ['move', 'smoke', 'watch', 'deploy', 'keep', 'restore', 'back'] as const;

/** One of them. */
export type ActKind = (typeof actKinds)[number];

/** Acts that take a release back: an operator who asked for that must not stop them. */
export const waysBack: ReadonlySet<ActKind> = new Set(['restore', 'back']);

/** Where an act is done. */
export const releaseEnvironments = ['staging', 'production'] as const;

/** One of them. */
export type ReleaseEnvironment = (typeof releaseEnvironments)[number];

/** One act that was asked for. */
export interface ReleaseAct {
  /** From 1, in the order of asking. */
  readonly number: number;
  readonly kind: ActKind;
  readonly environment: ReleaseEnvironment;
  /** ISO 8601. */
  readonly askedAt: string;
  readonly answeredAt?: string;
  readonly outcome?: 'done' | 'failed';
  /** What whoever acted said of it; the reason of a failure. */
  readonly said?: string;
}

/** A commit and the images that were built of it. */
export interface Released {
  readonly releaseId: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** Name to reference by digest, `<repository>@sha256:...`. */
  readonly images: Readonly<Record<string, string>>;
}

/** What is on record of a release: `RELEASES / releaseId`. */
export interface Release extends Released {
  /** Rises by one with every write. */
  readonly version: number;
  readonly executionArn: string;
  /** The release that was kept last before this one; what is returned to. */
  readonly replaces?: Released;
  /** The release, kept before, that this one takes back. */
  readonly takesBack?: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly outcome?: 'kept' | 'rolledBack';
  /** Why it was rolled back. */
  readonly because?: string;
  /** What an operator asked for while it was under way. */
  readonly rollbackAsked?: { readonly at: string; readonly reason: string };
  readonly acts: readonly ReleaseAct[];
}

/** Characters of what was said that are kept. */
const longestSaid = 1_000;

/** Digits of a commit and of a digest over all images in a name. */
const nameDigits = 12;

/**
 * The name of the execution that releases a commit with these images: the same ones have the same name, so that they are released
 * once. `again` makes another try of the same.
 */
export function releaseName(
  { commit, images }: Pick<Released, 'commit' | 'images'>,
  prefix = '',
  again = 0,
): string {
  const named = Object.entries(images).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const digest = createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, nameDigits);
  return `${prefix}${commit.slice(0, nameDigits)}-${digest}${again > 0 ? `-${again}` : ''}`;
}

/** The act that waits for its answer. */
export const openActOf = ({ acts }: Pick<Release, 'acts'>): ReleaseAct | undefined =>
  acts.find(({ answeredAt }) => answeredAt === undefined);

/** The release with a further act; an act of the same kind that still waits stays, so that asking again asks for nothing new. */
export function withAct(
  release: Release,
  { kind, environment, at }: Pick<ReleaseAct, 'kind' | 'environment'> & { readonly at: string },
): Release {
  const open = openActOf(release);
  if (open?.kind === kind && open.environment === environment) return release;
  // What the machine no longer waits for: its wait ran out, or its branch was given up.
  const acts = release.acts.map((act) =>
    act === open
      ? { ...act, answeredAt: at, outcome: 'failed' as const, said: 'nobody waits for it any more' }
      : act,
  );
  return { ...release, acts: [...acts, { number: acts.length + 1, kind, environment, askedAt: at }] };
}

/** The release with an act's answer. */
export function withAnswer(
  release: Release,
  number: number,
  answer: Required<Pick<ReleaseAct, 'answeredAt' | 'outcome' | 'said'>>,
): Release {
  const said = answer.said.slice(0, longestSaid);
  return {
    ...release,
    acts: release.acts.map((act) => (act.number === number ? { ...act, ...answer, said } : act)),
  };
}

/** The newest release that was kept and not taken back since, besides `but`; what a bad one is taken back to. */
export function lastKept(releases: readonly Release[], but?: string): Released | undefined {
  const all = releases.filter(({ outcome }) => outcome === 'kept');
  const takenBack = new Set([but, ...all.map(({ takesBack }) => takesBack)]);
  const kept = all
    .filter(({ releaseId }) => !takenBack.has(releaseId))
    .toSorted((one, other) => ((one.finishedAt ?? '') < (other.finishedAt ?? '') ? 1 : -1))[0];
  return kept && { releaseId: kept.releaseId, commit: kept.commit, images: kept.images };
}
