import { LambdaClient } from '@aws-sdk/client-lambda';
import { consumers } from '../../backup/cloud/consumers.ts';
import type { Consumers } from '../../ports/backup/consumers.ts';
import type { AwsBase } from '../wiring/base.ts';
import { recoveryPlace } from '../wiring/recovery-place.ts';
import { lambdaConsumers } from './lambda-consumers.ts';

/** Who works on promoted records in the other region; nobody where the settings say that nothing is backed up. */
export const wireConsumers = (base: AwsBase): { readonly consumers: Consumers | undefined } => {
  const place = recoveryPlace(base);
  if (!place) return { consumers: undefined };
  const client = base.clients.in(place.settings.region).of(LambdaClient);
  const prefix = `epsilon-${base.config.environment}`;
  return { consumers: lambdaConsumers(client, { prefix, names: consumers }) };
};
