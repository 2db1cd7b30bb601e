import type { DatabaseSettings } from './resources.ts';

/** A table as its service describes it, as far as a restore has to set it again. */
export interface RestoredTable {
  readonly name: string;
  readonly arn: string;
  /** The service's word: `ACTIVE`, `CREATING`, ... */
  readonly status: string;
  /** Attribute of the time to live, when it is on. */
  readonly ttlAttribute?: string;
  /** Whether it can be restored to any second. */
  readonly recoverable: boolean;
  readonly deletionProtection: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** As of the service's last count, hours old at times. */
  readonly items: number;
}

/** Attribute that the stores put an item's end into. */
const ttlAttribute = 'ttl';

/** What a restored table still lacks: its service restores items and nothing else. */
export function tableFaults(found: RestoredTable, { drill }: { readonly drill: boolean }): string[] {
  return [
    ...(found.ttlAttribute === ttlAttribute ? [] : ['items do not end']),
    ...(found.recoverable ? [] : ['it cannot be restored to any second']),
    ...(drill || found.deletionProtection ? [] : ['nothing keeps it from being deleted']),
    ...(found.tags['epsilon:restore'] === undefined ? ['it has no tags'] : []),
  ];
}

/** Settings of a restored database that are not those which it was to have; its service fills in defaults for what it was not told. */
export function settingFaults(wanted: DatabaseSettings, found: DatabaseSettings): string[] {
  return (Object.keys(wanted) as (keyof DatabaseSettings)[]).flatMap((name) => {
    const [told, has] = [JSON.stringify(wanted[name]), JSON.stringify(found[name])];
    return told === has ? [] : [`${name} is ${has}, not ${told}`];
  });
}
