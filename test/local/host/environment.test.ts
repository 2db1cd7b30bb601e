import { expect, it } from 'vitest';
import { allowedEnvironment } from '../../../local/host/environment.ts';

it('T7: the environment that a job of this host inherits has no address of Redis, and no secret', () => {
  const variables = {
    PATH: '/usr/bin',
    REDIS_URL: 'redis://:hidden@127.0.0.1',
    AWS_SECRET_ACCESS_KEY: 'hidden',
    EPSILON_TOKEN: 'hidden',
  };
  expect(allowedEnvironment(variables)).toEqual({ PATH: '/usr/bin' });
});
