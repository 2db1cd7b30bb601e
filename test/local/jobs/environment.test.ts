import { describe, expect, it } from 'vitest';
import { stageNames } from '../../../lib/training/stages.ts';
import { allowedEnvironment } from '../../../local/jobs/environment.ts';

const variables = {
  PATH: '/usr/bin',
  REDIS_URL: 'redis://:hidden@127.0.0.1',
  AWS_SECRET_ACCESS_KEY: 'hidden',
  EPSILON_TOKEN: 'hidden',
};

describe('the environment that a job of this host inherits', () => {
  it.each(stageNames)('T7: has the address of Redis in the cache stage alone, and no secret: %s', (stage) => {
    const { REDIS_URL, ...others } = allowedEnvironment(variables, stage);
    expect(REDIS_URL).toBe(stage === 'cache' ? variables.REDIS_URL : undefined);
    expect(others).toEqual({ PATH: '/usr/bin' });
  });

  it('T7: has no address of Redis where no stage is named', () => {
    expect(allowedEnvironment(variables, undefined)).toEqual({ PATH: '/usr/bin' });
  });
});
