import { type Edit, inserted } from './edits.ts';

type States = Record<string, Record<string, unknown>>;

/** The state behind `BuildFaissIndex`, with its timeout and retries. */
function withState(text: string | undefined): string {
  const machine = JSON.parse(text ?? '{}') as { States: States };
  const { BuildFaissIndex: index = {}, ...others } = machine.States;
  const evaluate = JSON.parse(JSON.stringify(index).replace('"index"', '"evaluate"')) as Record<
    string,
    unknown
  >;
  const timeout = { TimeoutSeconds: 7_200, Comment: 'The candidate to a mark.' };
  const States = {
    ...others,
    BuildFaissIndex: { ...index, Next: 'EvaluateModel' },
    EvaluateModel: { ...evaluate, ...timeout },
  };
  return `${JSON.stringify({ ...machine, States }, null, 2)}\n`;
}

/** A stage of one's own between index and deploy, by the recipe. */
export const stageEdits: Readonly<Record<string, Edit>> = {
  'lib/training/stages.ts': inserted(
    { after: "['prepare', 'train', 'index', ", text: "'evaluate', " },
    {
      after: "    arguments: ({ tenantId }) => ['--tenant-id', tenantId, '--build-index'],\n  },\n",
      text: `  evaluate: {
    name: 'evaluate',
    state: 'EvaluateModel',
    image: 'ml-engine',
    inputs: { data: 'prepare', model: 'train', index: 'index' },
    resources: { cpu: 1, memoryMiB: 1024 },
    timeoutSeconds: 7_200,
    arguments: ({ tenantId }) => ['--tenant-id', tenantId, '--evaluate'],
  },
`,
    },
  ),
  'lib/capacity/durations.ts': inserted({ after: '  index: 720,\n', text: '  evaluate: 300,\n' }),
  'statemachines/tenant-model-training.asl.json': withState,
};
