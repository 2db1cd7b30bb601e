import type { Command } from 'commander';
import type { Session } from '../session.ts';

/** Registers verbs with all their options. */
type AddVerbs = (program: Command, session: () => Session) => void;

/** Verbs of one module: what help says of them without loading it, and how it is loaded. */
interface VerbGroup {
  readonly verbs: readonly { readonly term: string; readonly summary: string }[];
  load(): Promise<AddVerbs>;
}

/**
 * All verbs, in the order of the help. The code of a verb is loaded only when it is asked for;
 * `test/cli/verb-groups.test.ts` checks that these lines say what the modules register.
 */
export const verbGroups: readonly VerbGroup[] = [
  {
    verbs: [
      { term: 'demo', summary: 'run a night of training on this host, from the schedule to a search answer' },
    ],
    load: async () => (await import('../verbs/demo.ts')).addDemo,
  },
  {
    verbs: [
      {
        term: 'start',
        summary: 'run the control plane: schedules, events, jobs, metrics and control API',
      },
      {
        term: 'validate',
        summary: 'check configuration, state machines, schedules and rules; on AWS also what is deployed',
      },
      { term: 'schedules', summary: 'list, fire, pause and resume schedules' },
    ],
    load: async () => (await import('../verbs/lifecycle.ts')).addService,
  },
  {
    verbs: [
      { term: 'run <machine>', summary: 'start a state machine now and watch it' },
      { term: 'executions', summary: 'list executions, newest first' },
      {
        term: 'describe <execution>',
        summary: 'show one execution in full: the tenants of a night, the attempts of a run',
      },
      { term: 'history <execution>', summary: 'print the history of an execution, one event a line' },
      {
        term: 'redrive <execution>',
        summary: 'continue a failed execution from where it failed, and watch it',
      },
      { term: 'stop <execution>', summary: 'stop an execution and cancel its jobs' },
    ],
    load: async () => (await import('../verbs/executions.ts')).addExecutions,
  },
  {
    verbs: [
      {
        term: 'forecast',
        summary: 'show what the next night is expected to have ready by its deadline, without starting it',
      },
    ],
    load: async () => (await import('../verbs/forecast.ts')).addForecast,
  },
  {
    verbs: [{ term: 'scale', summary: 'forecast load and plan capacity for it' }],
    load: async () => (await import('../verbs/scale.ts')).addScale,
  },
  {
    verbs: [{ term: 'cost', summary: 'show what training cost, by tenant, stage or day' }],
    load: async () => (await import('../verbs/cost.ts')).addCost,
  },
  {
    verbs: [{ term: 'logs <run>', summary: "show the output of a run's jobs, one JSON object per line" }],
    load: async () => (await import('../verbs/logs.ts')).addLogs,
  },
  {
    verbs: [{ term: 'tenants', summary: 'manage tenants' }],
    load: async () => (await import('../verbs/tenants.ts')).addTenants,
  },
  {
    verbs: [{ term: 'map-runs', summary: 'list, show and change runs of distributed Maps' }],
    load: async () => (await import('../verbs/map-runs.ts')).addMapRuns,
  },
  {
    verbs: [
      { term: 'models', summary: 'list, promote and roll back models' },
      { term: 'query <text>', summary: "search with a tenant's live model" },
    ],
    load: async () => (await import('../verbs/models.ts')).addModels,
  },
  {
    verbs: [{ term: 'job', summary: 'check programs of your own against the job contract' }],
    load: async () => (await import('../verbs/job.ts')).addJob,
  },
  {
    verbs: [{ term: 'images', summary: 'list and clear images that jobs could not be started from' }],
    load: async () => (await import('../verbs/images.ts')).addImages,
  },
  {
    verbs: [{ term: 'release', summary: 'release images and control plane, and take them back' }],
    load: async () => (await import('../verbs/release.ts')).addRelease,
  },
  {
    verbs: [{ term: 'quality', summary: "show what the checks say about tenants' data" }],
    load: async () => (await import('../verbs/quality.ts')).addQuality,
  },
  {
    verbs: [
      {
        term: 'audit',
        summary:
          'list what operators did, newest first: who, when, what, on which subject, with which outcome',
      },
    ],
    load: async () => (await import('../verbs/audit.ts')).addAudit,
  },
  {
    verbs: [
      {
        term: 'state',
        summary: 'show what takes up space in the state directory, and when its disk will be full',
      },
    ],
    load: async () => (await import('../verbs/state.ts')).addState,
  },
  {
    verbs: [
      { term: 'backup', summary: 'make, list, verify and prune backups' },
      {
        term: 'restore',
        summary: 'restore a backup into a new state directory, or, on AWS, into the other region',
      },
    ],
    load: async () => (await import('../verbs/backup.ts')).addBackup,
  },
  {
    verbs: [
      {
        term: 'drill',
        summary: 'restore the newest backup in isolation, kill and restore the copy, and measure it',
      },
    ],
    load: async () => (await import('../verbs/drill.ts')).addDrill,
  },
  {
    verbs: [{ term: 'airflow', summary: 'Apache Airflow: write its DAGs, check a server' }],
    load: async () => (await import('../verbs/airflow.ts')).addAirflow,
  },
  {
    verbs: [{ term: 'asl', summary: 'run or check any state machine file (JSONata dialect)' }],
    load: async () => (await import('../verbs/asl.ts')).addAsl,
  },
  {
    verbs: [
      {
        term: 'completion <shell>',
        summary: 'print the completion script of this command for bash, zsh or fish',
      },
    ],
    load: async () => (await import('../verbs/completion.ts')).addCompletion,
  },
];

/** Name of the verb that a term begins with. */
export function verbOf(term: string): string {
  return term.split(' ')[0] ?? term;
}
