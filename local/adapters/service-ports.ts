import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { EventPublisher } from '../../lib/ports/event-publisher.ts';
import type { EventBus } from '../bus/bus.ts';

/** Our events, on the in-process bus. */
export function busPublisher(bus: EventBus): EventPublisher {
  return {
    publish: async (events) => {
      const refused = bus.put(events).find((result) => result.error);
      if (!refused) return;
      throw new EpsilonError('EVENTS_NOT_ACCEPTED', `An event was refused: ${refused.error}.`, {
        exitCode: exitCodes.backend,
      });
    },
  };
}
