import { type FigureDefinition, Figures } from '../lib/metrics/exposition.ts';

const definitions = {
  epsilon_watcher_leading: { kind: 'gauge', help: '1 on the replica that watches.' },
  epsilon_watcher_jobs: { kind: 'gauge', help: 'Jobs that are not over, by state.' },
  epsilon_watcher_events_total: { kind: 'counter', help: 'Events that the bus took, by kind.' },
  epsilon_watcher_events_waiting: { kind: 'gauge', help: 'Events that are not published yet.' },
  epsilon_watcher_publish_failures_total: { kind: 'counter', help: 'Calls that the bus refused.' },
  epsilon_watcher_lists_total: {
    kind: 'counter',
    help: 'Lists; more than one after a start means expired versions.',
  },
  epsilon_watcher_watches_total: { kind: 'counter', help: 'Watches begun.' },
  epsilon_watcher_breaks_total: { kind: 'counter', help: 'Watches that broke, by kind.' },
  epsilon_watcher_rewinds_total: {
    kind: 'counter',
    help: 'How often versions went backwards: etcd was restored.',
  },
  epsilon_watcher_memory_bytes: { kind: 'gauge', help: 'Resident memory.' },
} as const satisfies Readonly<Record<string, FigureDefinition>>;

/** Figures of a watcher (docs/kubernetes.md). */
export type WatcherFigures = Figures<keyof typeof definitions>;

/** Opens the figures of a watcher. */
export const openWatcherFigures = (): WatcherFigures => new Figures(definitions);
