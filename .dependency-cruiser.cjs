/** Who may import whom (docs/conventions.md). One rule per room: `path` may only reach what `pathNot` lists. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(lib|functions|local|cli|console|workload|watcher|infra|test)/', pathNot: allowed },
});
/** Rooms of lib that are no areas: adapters, the handler stack, operations and ports. Every other folder of lib is a pure area. */
const adapters = 'aws|files|kubernetes|airflow|system';
const areas = `^lib/(?!(?:${adapters}|handler|operations|ports)/)`;
const portTypes = '^lib/ports/';

/** Rooms of the embedded engine from the ground up: each imports those before it. */
const engineRooms = [
  'model',
  'journal',
  'jsonata',
  'definition',
  'threads',
  'map',
  'states',
  'engine',
  'runner',
];
const engineRoom = (room, index) => ({
  name: `asl-${room}`,
  comment: 'rooms of the embedded engine import those below them, types included',
  severity: 'error',
  from: { path: `^local/asl/${room}/` },
  to: {
    path: '^local/asl/',
    pathNot: engineRooms.slice(0, index + 1).map((below) => `^local/asl/${below}/`),
  },
});

module.exports = {
  forbidden: [
    ...engineRooms.map(engineRoom),
    only('areas-are-pure', areas, [areas], 'lib/<area> knows other pure lib only'),
    {
      name: 'areas-do-no-io',
      comment: 'lib/<area> and lib/ports hold no SDK, no file system, no network, no process',
      severity: 'error',
      // lib/config reads the configuration files.
      from: { path: [areas, '^lib/ports/'], pathNot: '^lib/config/' },
      to: { path: ['^node_modules/@aws-sdk/', '^(node:)?(fs|net|http|https|child_process|process)(/|$)'] },
    },
    only('ports-hold-types', '^lib/ports/', [areas, portTypes], 'lib/ports knows the types of lib/<area>'),
    only(
      'operations',
      '^lib/operations/',
      [areas, portTypes, '^lib/operations/'],
      'operations act through ports only',
    ),
    only(
      'adapters',
      `^lib/(${adapters})/`,
      [areas, portTypes, `^lib/(${adapters})/`],
      'adapters know ports and areas',
    ),
    only(
      'handler-stack',
      '^lib/handler/',
      [areas, portTypes, '^lib/handler/', '^lib/aws/'],
      'the handler stack wires lib/aws',
    ),
    only('functions-know-lib', '^functions/', ['^lib/'], 'a function knows lib, never another function'),
    {
      name: 'no-function-imports-another',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: '^functions/' },
    },
    only(
      'workload',
      '^workload/',
      ['^workload/', areas, portTypes, '^lib/(aws|files|system)/'],
      'workload knows ports and the adapters it needs',
    ),
    only(
      'watcher',
      '^watcher/',
      ['^watcher/', areas, portTypes, '^lib/(aws|kubernetes|system)/'],
      'the watcher knows ports and its adapters',
    ),
    only(
      'serving',
      '^serving/',
      ['^serving/', '^lib/', '^local/stores/'],
      'the stand-ins read live models and their records',
    ),
    {
      name: 'serving-stays-small',
      comment: 'backend-api and the smoke test need no package: their image has none',
      severity: 'error',
      from: { path: '^serving/[^/]+\\.ts$' },
      to: {
        path: '^(lib|local|node_modules)/',
        pathNot: '^lib/(config/environment|metrics/exposition)\\.ts$',
      },
    },
    only(
      'pulumi',
      '^infra/pulumi/',
      ['^infra/pulumi/', '^lib/(config|cost|errors|objects)/'],
      'infrastructure knows configuration only',
    ),
    only(
      'local',
      '^local/',
      ['^local/', '^functions/', '^lib/(?!aws/)'],
      'the embedded runtime knows functions and lib, not lib/aws',
    ),
    only(
      'cli',
      '^cli/',
      ['^cli/', '^console/', '^local/', '^lib/'],
      'the command line composes console, local and lib',
    ),
    {
      name: 'cli-loads-aws-late',
      comment:
        'only --target aws pays for the SDK: one file of cli/ composes it, and that file is imported when needed',
      severity: 'error',
      from: { path: '^cli/', pathNot: '^cli/open-aws\\.ts$' },
      to: { path: ['^lib/aws/', '^node_modules/@aws-sdk/'] },
    },
    {
      name: 'cli-opens-aws-late',
      comment: 'cli/open-aws.ts is loaded by the verbs that speak to AWS',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^cli/open-aws\\.ts$', dynamic: false },
    },
    only('console', '^console/', ['^console/', '^local/', '^lib/'], 'the console knows local and lib'),
    {
      name: 'nothing-imports-cli-or-test',
      severity: 'error',
      from: { path: '^(lib|functions|local|console|workload|watcher|infra)/' },
      to: { path: '^(cli|test)/' },
    },
    {
      name: 'packages-load-lazily-through-lazy-modules',
      comment:
        'a package imported dynamically comes whole into a bundle; lazy/ re-exports what is taken of it, and the rest is left out',
      severity: 'error',
      from: { path: '^(lib|functions)/', pathNot: '/lazy/' },
      to: { path: '^node_modules/(@aws-sdk|@kubernetes|@smithy)/', dynamic: true },
    },
    {
      name: 'lazy-packages-stay-lazy',
      comment: 'imported at the top, they would be read whenever a function starts',
      severity: 'error',
      from: { path: '^(lib|functions)/', pathNot: '/lazy/' },
      to: {
        path: '^node_modules/(@kubernetes/client-node|@aws-sdk/client-(ecs|eks|kms))/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'lazy-modules-load-lazily',
      comment:
        'instance-jobs.ts and instance-places.ts are loaded late themselves: with the first spot warning, and the first job seen running',
      severity: 'error',
      from: { path: '^(lib|functions)/', pathNot: '/instance-(jobs|places)\\.ts$' },
      to: {
        path: '^lib/.*/(lazy/|instance-(jobs|places)\\.ts$)',
        dynamic: false,
        dependencyTypesNot: ['type-only', 'type-import'],
      },
    },
    {
      name: 'lazy-modules-hold-packages-only',
      comment: 'code of the project would exist twice: in a function and in the lazy bundle',
      severity: 'error',
      from: { path: '^lib/.*/lazy/' },
      to: { pathNot: '^node_modules/' },
    },
    {
      name: 'no-circular',
      comment: 'circles of types count: two files that need each other are one, or a third one is missing',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^aws-lambda$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
