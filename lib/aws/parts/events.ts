import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { AwsBase, PortsPart } from '../base.ts';
import { createEventPublisher } from '../event-publisher.ts';

/** Our bus on EventBridge. */
export const part = ({ clients, deployment, clock, random }: AwsBase): PortsPart => ({
  events: createEventPublisher({
    client: clients.of(EventBridgeClient),
    bus: deployment.eventBusName,
    clock,
    random,
  }),
});
