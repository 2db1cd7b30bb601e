import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventPublisher, OutgoingEvent } from '../../ports/event-publisher.ts';
import type { Random } from '../../ports/random.ts';
import { explainServiceError } from '../errors/service-errors.ts';

/** Entries one call may have. */
const mostEntries = 10;

/** Rounds an entry gets, and the longest pause before the first repetition, in milliseconds. */
const rounds = 5;
const firstPause = 100;

/** What the publisher is made of. */
export interface EventPublisherOptions {
  readonly client: EventBridgeClient;
  readonly bus: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Our bus on EventBridge. A call may accept some entries and refuse others: only the refused ones are sent again. */
export function createEventPublisher({ client, bus, clock, random }: EventPublisherOptions): EventPublisher {
  const pause = (round: number) =>
    new Promise<void>((resolve) => clock.setTimer(random() * firstPause * 2 ** round, resolve));

  async function put(entries: PutEventsRequestEntry[]): Promise<readonly PutEventsResultEntry[]> {
    try {
      return (await client.send(new PutEventsCommand({ Entries: entries }))).Entries ?? [];
    } catch (error) {
      throw explainServiceError(error, 'events:PutEvents', bus);
    }
  }

  async function send(
    events: readonly OutgoingEvent[],
  ): Promise<{ readonly event: OutgoingEvent; readonly code: string }[]> {
    const entries = events.map(({ source, detailType, detail }) => ({
      EventBusName: bus,
      Source: source,
      DetailType: detailType,
      Detail: JSON.stringify(detail),
    }));
    const answers = await put(entries);
    return events.flatMap((event, index) => {
      const code = answers[index]?.ErrorCode;
      return code === undefined ? [] : [{ event, code }];
    });
  }

  async function publishSome(events: readonly OutgoingEvent[]): Promise<void> {
    let left = events;
    for (let round = 0; ; round += 1) {
      const refused = await send(left);
      if (refused.length === 0) return;
      if (round + 1 >= rounds) {
        const codes = [...new Set(refused.map(({ code }) => code))].join(', ');
        throw new EpsilonError(
          'EVENTS_NOT_ACCEPTED',
          `${refused.length} events were not accepted by ${bus} (${codes}).`,
          {
            exitCode: exitCodes.backend,
            retryable: true,
          },
        );
      }
      left = refused.map(({ event }) => event);
      await pause(round);
    }
  }

  return {
    publish: async (events) => {
      for (let first = 0; first < events.length; first += mostEntries)
        await publishSome(events.slice(first, first + mostEntries));
    },
  };
}
