import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { AwsBase } from '../wiring/base.ts';
import { cloudwatchProvisioning } from './cloudwatch-provisioning.ts';

/** What was measured of provisioning; an idle region was provisioned with its home. */
export const wireProvisioning = ({ clients, config, deployment }: AwsBase) =>
  deployment.standsIn === undefined
    ? { provisioning: cloudwatchProvisioning(clients.of(CloudWatchClient), config.environment) }
    : {};
