import { EpsilonError } from '../lib/errors/epsilon-error.ts';
import { tenantModelTraining } from '../lib/training/machines.ts';
import { command, type Session } from './session.ts';

type Details = Readonly<Record<string, unknown>>;

/** What to type next, by the code of an error that an operation refused with; its details say about what. */
const hints: Readonly<
  Record<string, (details: Details) => { readonly before: string; readonly words: string }>
> = {
  TENANT_NOT_FOUND: () => ({ before: 'All tenants:', words: 'tenants list' }),
  TENANT_SUSPENDED: ({ tenantId }) => ({
    before: 'To end that:',
    words: `tenants resume ${String(tenantId)}`,
  }),
  MODEL_NOT_LIVE: ({ tenantId }) => ({
    before: 'Train it with:',
    words: `run ${tenantModelTraining.key} --tenant ${String(tenantId)}`,
  }),
  MODEL_ROLLED_BACK: ({ tenantId }) => ({
    before: 'Another model:',
    words: `models promote ${String(tenantId)} <model>`,
  }),
};

/** Does the work; an error that the command line knows a way out of says the command to type next. */
export async function withHints<T>(session: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const hint = error instanceof EpsilonError ? hints[error.code] : undefined;
    if (!(error instanceof EpsilonError) || !hint) throw error;
    const { before, words } = hint(error.details);
    throw new EpsilonError(error.code, `${error.message} ${before} "${command(session, words)}".`, {
      exitCode: error.exitCode,
      cause: error,
      details: error.details,
    });
  }
}
