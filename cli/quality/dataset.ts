import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { checkDatasetCompleteness, checkDatasetFreshness } from '../../lib/quality/datasets/checks.ts';
import type { DatasetProfile } from '../../lib/quality/datasets/profile.ts';
import type { Finding } from '../../lib/quality/finding.ts';
import { nothingThere } from '../../lib/quality/judge.ts';
import { plain, toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { readContract } from './contract-file.ts';

function describe(profile: DatasetProfile, findings: readonly Finding[]): string {
  const { files, bytes, rows, unfinished, sampled, newestEvent, newestArrival } = profile;
  const lines = [
    `files    ${files}${unfinished > 0 ? `, ${unfinished} more are being written` : ''}${sampled ? ', read in part' : ''}`,
    `bytes    ${bytes}`,
    `rows     ${rows}`,
    `newest   ${toTheSecond(newestEvent ?? newestArrival ?? undefined) || 'none'}`,
  ];
  const found = findings.map(
    ({ check, severity, code, sentence }) => `${severity}  ${check} ${code}: ${plain(sentence)}`,
  );
  return [...lines, ...(found.length === 0 ? ['Nothing was found.'] : found)].join('\n');
}

function fieldRows({ fields, rows }: DatasetProfile) {
  const percent = (part: number) => (rows === 0 ? '' : `${((100 * part) / rows).toFixed(1)} %`);
  const short = (value: number) => Number(value.toPrecision(4));
  return fields.map(({ name, nulls, typeErrors, mean, quantiles }) => [
    name,
    percent(nulls),
    percent(typeErrors),
    mean === null ? '' : short(mean),
    quantiles === null ? '' : quantiles.map(short).join(' / '),
  ]);
}

/** `quality profile`: a dataset of this host is looked at and held to its contract. Exit code 1 when a finding is critical. */
export async function profileByContract(session: Session, file: string, maxBytes: number): Promise<void> {
  const contract = readContract(file);
  if (!contract.location.startsWith('file:'))
    throw new EpsilonError(
      'CONTRACT_INVALID',
      `${file}, location: this command reads folders of this host (file:///path/); the checks of a tenant read s3://.`,
    );
  const { profileDataset } = await import('../../lib/files/datasets/profile-dataset.ts');
  const profile = await profileDataset(contract, { maxBytes });
  const now = session.clock.now();
  const findings =
    profile.files === 0
      ? [nothingThere]
      : [
          ...checkDatasetCompleteness(profile, contract, now),
          ...checkDatasetFreshness(profile, contract, now),
        ];
  print(session.output, { contract, profile, findings }, () => {
    const head = ['FIELD', 'NULLS', 'OTHER TYPE', 'MEAN', '5 / 50 / 95 %'];
    const fields = profile.fields.length === 0 ? [] : [table(session.output, head, fieldRows(profile))];
    return [...fields, describe(profile, findings)].join('\n\n');
  });
  const critical = findings.filter(({ severity }) => severity === 'critical').length;
  if (critical > 0 || profile.files === 0)
    throw new EpsilonError(
      'DATASET_BELOW_CONTRACT',
      `The dataset does not keep its contract: ${profile.files === 0 ? 'there is no data' : `${critical} findings are critical`}.`,
      {
        exitCode: exitCodes.runFailed,
      },
    );
}
