import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createEventPublisher } from '../eventbridge/event-publisher.ts';
import type { AwsBase } from './base.ts';

/** Our bus on EventBridge. */
export const wireEvents = ({ clients, deployment, clock, random }: AwsBase) => ({
  events: createEventPublisher({
    client: clients.of(EventBridgeClient),
    bus: deployment.eventBusName,
    clock,
    random,
  }),
});
