import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import { artifactNames } from '../../lib/training/models/candidate.ts';
import type { JobStage } from '../../lib/training/stages.ts';
import { type Finding, finding } from './findings.ts';
import type { Ended, Scratch } from './scratch.ts';

const manifestSchema = z.looseObject({
  files: z.array(z.looseObject({ name: z.string(), bytes: z.int().min(0), sha256: z.string() })),
});

/** Files of an attempt's prefix that no manifest names. */
const unnamed: ReadonlySet<string> = new Set(['manifest.json', 'result.json', 'progress.json']);

/** Facts of a result without which the model cannot be promoted. */
const neededFacts: Readonly<Partial<Record<JobStage, readonly string[]>>> = {
  index: ['vectors', 'dimensions'],
  deploy: ['selfRetrieval'],
};

/** Every file below a folder, with what changes when it is written. */
export function filesBelow(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        const { mtimeMs, size, ino } = statSync(path, { throwIfNoEntry: false }) ?? {};
        return [path, `${mtimeMs} ${size} ${ino}`];
      }),
  );
}

/** Files that appeared, changed or vanished outside a folder, between two looks. */
export function changedOutside(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  folder: string,
): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((path) => !path.startsWith(folder) && before.get(path) !== after.get(path)).sort();
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function lookAtManifest(folder: string): Finding[] {
  const path = join(folder, 'manifest.json');
  const there = statSync(path, { throwIfNoEntry: false });
  if (!there) return [finding('MANIFEST_MISSING', 'There is no manifest.json below its output.')];
  const parsed = checkSchema(manifestSchema, readJson(path));
  if (!parsed.success)
    return [
      finding('MANIFEST_WRONG', `manifest.json: ${parsed.fault.path.join('.')} ${parsed.fault.sentence}.`),
    ];
  const { files } = parsed.data;
  const wrong = files.flatMap(({ name, bytes, sha256 }) => {
    const body = statSync(join(folder, name), { throwIfNoEntry: false }) && readFileSync(join(folder, name));
    if (!body) return [`${name} is not there`];
    if (body.length !== bytes) return [`${name} has ${body.length} bytes, not ${bytes}`];
    const digest = createHash('sha256').update(body).digest('hex');
    return digest === sha256 ? [] : [`${name} has another SHA-256`];
  });
  const named = new Set(files.map(({ name }) => name));
  const left = [...filesBelow(folder).keys()]
    .map((file) => file.slice(folder.length))
    .filter((name) => !unnamed.has(name) && !named.has(name));
  if (left.length > 0) wrong.push(`it does not name ${left.slice(0, 3).join(', ')}`);
  const later = files.filter(
    ({ name }) => (statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > there.mtimeMs,
  );
  return [
    ...(wrong.length > 0
      ? [finding('MANIFEST_WRONG', `manifest.json: ${wrong.slice(0, 3).join('; ')}.`)]
      : []),
    ...(later.length > 0
      ? [finding('MANIFEST_NOT_LAST', `${later[0]?.name} was written after manifest.json.`)]
      : []),
  ];
}

function lookAtResult({ observation, spec }: Ended, folder: string): Finding[] {
  const { result, resultFault } = observation;
  if (resultFault !== undefined) {
    const [code = '', why = ''] = resultFault.split(': ');
    return [finding(code as 'RESULT_MISSING', `At the end ${why}.`)];
  }
  const found: Finding[] = [];
  if (JSON.stringify(readJson(join(folder, 'result.json'))) !== JSON.stringify(result))
    found.push(finding('RESULT_NOT_IN_OUTPUT', 'result.json below its output is not the result.'));
  const missing = (neededFacts[spec.stage] ?? []).filter((name) => !(Number(result?.[name]) > 0));
  if (missing.length > 0)
    found.push(
      finding('RESULT_FACT_MISSING', `The result has no ${missing.join(' and no ')} that is more than 0.`),
    );
  return found;
}

/** What a finished stage's output lacks. */
export function lookAtOutput(scratch: Scratch, ended: Ended): Finding[] {
  const { spec, folder: job } = ended;
  const folder = scratch.pathOf(spec.outputUri);
  const names: Readonly<Partial<Record<JobStage, string>>> = {
    train: scratch.training.modelFile,
    index: artifactNames.index,
  };
  const wanted = names[spec.stage];
  const absent = wanted !== undefined && !statSync(join(folder, wanted), { throwIfNoEntry: false });
  return [
    ...lookAtResult(ended, folder),
    ...lookAtManifest(folder),
    ...(absent ? [finding('FILE_MISSING', `There is no ${wanted} below its output.`)] : []),
    ...(statSync(job.file('progress.jsonl'), { throwIfNoEntry: false })
      ? []
      : [finding('NO_PROGRESS', 'It never said how far it is.')]),
  ];
}
