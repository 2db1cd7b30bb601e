import { EpsilonError } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { Workflows } from '../../ports/workflows.ts';
import type { WorkflowLocation } from '../stepfunctions/machine-names.ts';

/**
 * Workflows that say what is wrong when a machine is not there: the whole environment is not deployed here, or it
 * has no machine of that name. `MACHINE_NOT_FOUND` either way.
 */
export function deployedWorkflows(workflows: Workflows, location: WorkflowLocation): Workflows {
  const { environment, accountId, region } = location;
  async function machines(): Promise<string[]> {
    const found = await workflows.machines();
    if (found.length > 0) return found;
    throw new NotFound(
      'MACHINE_NOT_FOUND',
      `Environment ${environment} is not deployed in ${region} of account ${accountId}; deploy it with: npx serverless deploy --stage ${environment}`,
    );
  }
  const known = async <T>(machine: string | undefined, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof EpsilonError) || error.code !== 'MACHINE_NOT_FOUND') throw error;
      const all = await machines();
      if (machine === undefined || all.includes(machine)) throw error;
      throw new NotFound(
        'MACHINE_NOT_FOUND',
        `There is no state machine "${machine}" in ${environment} (${all.join(', ')}).`,
      );
    }
  };
  return {
    ...workflows,
    machines,
    start: (request) => known(request.machine, () => workflows.start(request)),
    list: async (filter) => {
      if (filter.machine !== undefined) return known(filter.machine, () => workflows.list(filter));
      await machines();
      return workflows.list(filter);
    },
  };
}
