import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createEventPublisher } from '../eventbridge/event-publisher.ts';
import type { AwsBase, PortsPart } from './base.ts';

/** Our bus on EventBridge. */
export const part = ({ clients, deployment, clock, random }: AwsBase): PortsPart => ({
  events: createEventPublisher({
    client: clients.of(EventBridgeClient),
    bus: deployment.eventBusName,
    clock,
    random,
  }),
});
