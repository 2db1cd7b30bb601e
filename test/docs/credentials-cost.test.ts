import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { priceList } from '../../lib/cost/prices.ts';
import { stageNames } from '../../lib/training/stages.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';

const { use, hour } = priceList;
const page = readFileSync('docs/batch.md', 'utf8').replaceAll(/\s+/g, ' ');
const functions = readYaml('infra/serverless/functions.yml') as Readonly<
  Record<string, { readonly memorySize?: number } | undefined>
>;

/** What one question costs, as docs/batch.md counts it: 200 ms, a run of 20 KB, one write for the call budget, 1.5 KB of log. */
const usdPerQuestion =
  use.apiRequest +
  use.invocation +
  0.2 * ((functions['lendCredentials']?.memorySize ?? Number.NaN) / 1_024) * use.functionGiBSecond +
  5 * use.tableRead +
  use.tableWrite +
  (1.5 / 1_048_576) * use.logGiB;

/** Questions of a night: each job asks when it begins, and an SDK again five minutes before fifteen are over. */
const questionsOf = (tenants: number, minutes: number) =>
  tenants * stageNames.length * Math.ceil(minutes / 10);

const usdOfNight = (minutes: number) => questionsOf(10_000, minutes) * usdPerQuestion;
const usdOfEndpoint = 24 * hour.endpointZone;

describe('the cost of credentials on Batch', () => {
  it('is what docs/batch.md says of a night of 10,000 tenants, and at most a dollar with jobs of 20 minutes', () => {
    const requests = usdOfNight(20);
    expect(page).toContain(
      `${questionsOf(10_000, 20).toLocaleString('en')} questions, $${requests.toFixed(2)}`,
    );
    expect(page).toContain(`$${usdOfEndpoint.toFixed(2)} a day`);
    expect(page).toContain(`together $${(requests + usdOfEndpoint).toFixed(2)}`);
    expect(requests + usdOfEndpoint).toBeLessThanOrEqual(1);
  });

  it('grows with the length of jobs as docs/batch.md says', () => {
    expect(page).toContain(`with jobs of an hour $${(usdOfNight(60) + usdOfEndpoint).toFixed(2)}`);
  });
});
