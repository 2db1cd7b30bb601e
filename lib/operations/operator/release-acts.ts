import type { OperatorApi } from '../../ports/operator-api.ts';
import type { OperatorPorts } from '../../ports/operator-ports.ts';
import type { Release } from '../../release/release.ts';
import type { ActDefinition } from '../audit/audited.ts';
import { answerAct, askRollback, beatAct } from '../release/answer-act.ts';
import { actArguments as args } from './act-arguments.ts';

/** Makes an act of a definition, on record under the port's actor. */
export type Act = <A extends readonly unknown[], R>(
  definition: ActDefinition<A, R>,
) => (...given: A) => Promise<R>;

const named = ({ releaseId }: { readonly releaseId: string }) => `release ${releaseId}`;

type Needed = Pick<OperatorPorts, 'releases' | 'callbacks' | 'clock'>;

/** A release as operators see it: without its token. */
async function releaseOf({ releases }: Needed, releaseId: string): Promise<Release | undefined> {
  const found = await releases.get(releaseId);
  if (!found) return undefined;
  const { sealedToken: _, ...release } = found;
  return release;
}

/** What operators may ask of releases and do to them. */
export function releaseQueriesAndActs(ports: Needed, act: Act): OperatorApi['releases'] {
  return {
    list: () => ports.releases.list(),
    get: (releaseId) => releaseOf(ports, releaseId),
    beat: (request) => beatAct(ports, request),
    rollback: act({
      act: 'releases.rollback',
      args: args.rollback,
      subject: ([request]) => named(request),
      perform: ([request]) => askRollback(ports, request),
    }),
    answer: act({
      act: 'releases.answer',
      args: args.answer,
      subject: ([request]) => named(request),
      perform: ([request]) => answerAct(ports, request),
    }),
  };
}
