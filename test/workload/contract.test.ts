import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  contractVersion,
  contractVersions,
  versionsOfLabel,
} from '../../lib/training/attempts/job-contract.ts';
import { jobSpecOf } from '../../lib/training/attempts/job-spec.ts';
import { readContext } from '../../workload/job/context.ts';
import { namesIn, tableRows } from '../docs/tables.ts';
import { anAttempt, aRun } from '../fixtures/records.ts';

const page = 'docs/job-contract.md';

/** Variables of the contract by the version that they came with. */
const since = new Map(
  tableRows(page).flatMap(([names = '', , version = '']) =>
    /^\d+$/.test(version) ? namesIn(names).map((name) => [name, Number(version)] as const) : [],
  ),
);

/** What the control plane gives a job of this host. */
const given = {
  ...jobSpecOf(aRun(), anAttempt({ stage: 'train' }), { prepare: 's3://data/acme/p/' }, 'data').environment,
  EPSILON_RESULT_PATH: '/tmp/result.json',
  EPSILON_OBJECTS_ROOT: '/tmp/objects',
};

/** The same as a control plane of an earlier version gave it. */
const asOf = (version: number) =>
  Object.fromEntries(Object.entries(given).filter(([name]) => (since.get(name) ?? 0) <= version));

const read = (variables: Readonly<Record<string, string>>) =>
  readContext(variables, 'acme', new AbortController().signal);

describe('the job contract', () => {
  it('has one number, which the page, the control plane and the job agree on, and the one before', () => {
    expect(readFileSync(page, 'utf8')).toContain(`This is **version ${contractVersion}** of the contract`);
    expect(contractVersions).toEqual([contractVersion - 1, contractVersion]);
    expect(given).toMatchObject({ EPSILON_CONTRACT: String(contractVersion) });
    expect(Math.max(...since.values())).toBe(contractVersion);
  });

  it.each([
    ['1,2', [1, 2]],
    ['3', [3]],
    ['12,13,14', [12, 13, 14]],
    ['', []],
    ['two', []],
    ['1, 2', []],
    ['2,', []],
    ['0', []],
    ['1e1', []],
    ['99999', []],
  ])('has a label for images, which is a list of versions or none: %j', (label, versions) => {
    expect(versionsOfLabel(label)).toEqual(versions);
  });

  it('takes what says nothing of itself for no later version than there was before anybody said it', () => {
    expect(versionsOfLabel(undefined)).toEqual([1, 2]);
  });

  it('names every variable that a job is given, with its version', () => {
    expect(since.size).toBeGreaterThan(15);
    expect(Object.keys(given).filter((name) => !since.has(name))).toEqual([]);
  });

  it('is understood by a job in this version and in the one before', async () => {
    const [now, before] = [await read(given), await read(asOf(contractVersion - 1))];
    expect(asOf(1)).not.toHaveProperty('EPSILON_CONTRACT');
    const { runId, stage, inputs, output } = now;
    expect(before).toMatchObject({ runId, stage, inputs, output });
    expect(await read({ ...given, EPSILON_CONTRACT: String(contractVersion - 1) })).toMatchObject({ runId });
  });

  it.each([String(contractVersion + 1), '0', '1.5', 'two', ''])(
    'is refused by a job by name in any other version: %j',
    async (version) => {
      await expect(read({ ...given, EPSILON_CONTRACT: version })).rejects.toMatchObject({
        code: 'CONTRACT_INVALID',
        exitCode: 78,
        message: expect.stringMatching(/^EPSILON_CONTRACT: .*1, 2/),
      });
    },
  );
});
