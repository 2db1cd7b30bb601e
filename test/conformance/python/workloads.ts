import { workloadsSchema } from '../../../lib/config/workloads.ts';

/** Debian's own Python, which has Debian's PyTorch and FAISS. */
export const python = '/usr/bin/python3';

const commandsOf = (script: string) => {
  const command = [python, script];
  return { 'data-pipeline': command, 'ml-engine': command, deployer: command, query: command };
};

/** The example workloads, as configuration. */
export const exampleWorkloads = {
  plain: {
    folder: 'examples/python',
    model: 'model.json',
    commands: commandsOf('plain.py'),
    modelTypes: { hashing: { epochs: 1, options: { dimensions: 256 } } },
  },
  pytorch: {
    folder: 'examples/python',
    lock: 'requirements.txt',
    model: 'model.pth',
    commands: commandsOf('pytorch.py'),
    modelTypes: { halves: { epochs: 10, options: { dimensions: 64, rate: 0.01, batch: 64 } } },
  },
};

/** Variables under which a control plane has the example workloads beside its own. */
export const exampleVariables = {
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '',
  EPSILON_WORKLOADS: JSON.stringify(exampleWorkloads),
};

/** The example workloads, and the reference workload, checked. */
export const allWorkloads = workloadsSchema.parse({
  reference: { modelTypes: { skipgram: { options: { dimensions: 64 } } } },
  ...exampleWorkloads,
});
