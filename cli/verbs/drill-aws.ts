import {
  type CloudDrill,
  type CloudDrillVerdict,
  cloudDrillSchema,
  cloudDrillsPrefix,
  judgeCloudDrill,
} from '../../lib/backup/cloud/drill.ts';
import { cloudDrillPage } from '../../lib/backup/cloud/drill-page.ts';
import { replicaBucketOf } from '../../lib/backup/cloud/settings.ts';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { renderReport } from '../../lib/reports/report.ts';
import { plain, toTheSecond } from '../output.ts';
import { writePage } from '../pages/write-page.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { standbyOf } from './backup-aws.ts';

/** The newest drill on record in the other region; undefined where there is none, or where it cannot be understood. */
async function newestDrill({ objects, config }: OperatorApi): Promise<CloudDrill | undefined> {
  const uris: string[] = [];
  for await (const { uri } of objects.list(`s3://${replicaBucketOf(config.dataBucket)}/${cloudDrillsPrefix}`))
    uris.push(uri);
  const uri = uris.sort().at(-1);
  if (uri === undefined) return undefined;
  const read = checkSchema(cloudDrillSchema, JSON.parse(new TextDecoder().decode(await objects.get(uri))));
  if (read.success) return read.data;
  throw new EpsilonError('DRILL_NOT_PASSED', `The drill's record at ${uri} is none.`, {
    exitCode: exitCodes.runFailed,
  });
}

/** A drill that ended after the newest one on record, and left none: it counts as failed. */
async function unrecorded({ workflows }: OperatorApi, drill: CloudDrill | undefined): Promise<string[]> {
  const [last] = await workflows.list({ machine: 'restore-drill', limit: 1 });
  if (!last || last.status === 'RUNNING') return [];
  if (drill !== undefined && last.startDate <= drill.times.declaredAt) return [];
  return [`the drill that began at ${toTheSecond(last.startDate)} ended ${last.status} and left no record`];
}

const minutes = (value: number | null) => (value === null ? 'not measured' : `${value.toFixed(0)} minutes`);

function verdictText(drill: CloudDrill, verdict: CloudDrillVerdict): string {
  const { id, point, times, region, checks, bytesRead } = drill;
  return [
    `${verdict.passed ? 'Passed' : 'Not passed'}: drill ${id} of ${toTheSecond(times.declaredAt)} in ${region}, the moment ${toTheSecond(point)}.`,
    `Time to recover ${minutes(verdict.recoveryMinutes)} with estimates (goal 240), ${minutes(verdict.measuredMinutes)} measured; acknowledged work lost ${minutes(verdict.lossMinutes)} (goal 60).`,
    `Read back: ${checks.map(({ name, count }) => `${name} ${count}`).join(', ') || 'nothing'}; ${bytesRead} bytes.`,
    ...verdict.reasons.map((reason) => `- ${plain(reason)}`),
  ].join('\n');
}

function notPassed(reasons: readonly string[]): EpsilonError {
  return new EpsilonError(
    'DRILL_NOT_PASSED',
    `The drill did not pass: ${plain(reasons[0] ?? 'no reason')}.`,
    {
      exitCode: exitCodes.runFailed,
      details: { reasons },
    },
  );
}

/**
 * `drill --last` on AWS: the newest drill, judged here from its record, by who took no part in it. `DRILL_NOT_PASSED` as well where none is on
 * record, and where a later one left none.
 */
export async function lastDrillOnAws(session: Session, html: string | undefined): Promise<void> {
  await withControl(standbyOf(session), { mode: 'read' }, async (control) => {
    const drill = await newestDrill(control);
    const later = await unrecorded(control, drill);
    if (drill === undefined) throw notPassed([...later, 'no drill is on record']);
    const own = judgeCloudDrill(drill);
    const reasons = [...later, ...own.reasons];
    const verdict = { ...own, passed: reasons.length === 0, reasons };
    const page =
      html === undefined ? undefined : writePage(html, renderReport(cloudDrillPage(drill, verdict)));
    print(session.output, { drill, verdict, ...(page === undefined ? {} : { html: page }) }, () =>
      [verdictText(drill, verdict), ...(page === undefined ? [] : [`Page: ${page}`])].join('\n'),
    );
    if (!verdict.passed) throw notPassed(reasons);
  });
}
