import type { Alerts, Query } from './alert.ts';

/** The job watcher in the cluster. */
export const watcherAlerts = {
  JobWatcherDoesNotWatch: {
    severity: 'critical',
    summary: 'No replica of the job watcher holds its lease.',
    watched: {
      kind: 'query',
      expression: 'absent(epsilon_watcher_leading) or max(epsilon_watcher_leading) < 1',
      for: '5m',
    },
  },
  JobWatcherEventsWait: {
    severity: 'warning',
    summary: "The event bus does not take the job watcher's events.",
    watched: {
      kind: 'query',
      expression:
        'max(epsilon_watcher_events_waiting) > 0 and on () sum(rate(epsilon_watcher_publish_failures_total[5m])) > 0',
      for: '10m',
    },
  },
  JobWatcherMemory: {
    severity: 'warning',
    summary: 'The job watcher is near its memory limit of 256 MiB.',
    watched: { kind: 'query', expression: 'max(epsilon_watcher_memory_bytes) > 230e6', for: '5m' },
  },
} as const satisfies Alerts<Query>;
