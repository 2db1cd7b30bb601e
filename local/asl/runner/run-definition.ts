import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import type { HistoryEvent } from '../../../lib/ports/workflows.ts';
import { systemIds } from '../../../lib/system/system-ids.ts';
import { runVirtual } from '../../clock/run-virtual.ts';
import { seededRandom } from '../../clock/seeded-random.ts';
import { VirtualClock } from '../../clock/virtual-clock.ts';
import { Engine } from '../engine/engine.ts';
import { MemoryJournal } from '../journal/memory.ts';
import type { Integrations } from '../model/integrations.ts';
import type { Mock } from '../model/mock.ts';

/** How one run of a definition ended. */
export interface AslResult {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
  readonly history: readonly HistoryEvent[];
}

function missing(what: string, how = 'mock the state'): Promise<never> {
  return Promise.reject(
    Object.assign(new Error(`${what} is not there when a file is run; ${how}.`), {
      name: 'States.TaskFailed',
    }),
  );
}

/** Objects of readers and writers as files `<folder>/<bucket>/<key>`. */
function objectsIn(folder: string | undefined): Pick<Integrations, 'readObject' | 'writeObject'> {
  if (folder === undefined) {
    const how = 'name a folder of objects';
    return {
      readObject: (bucket, key) => missing(`Object s3://${bucket}/${key}`, how),
      writeObject: (bucket, key) => missing(`Bucket ${bucket} (${key})`, how),
    };
  }
  const fileOf = (bucket: string, key: string) => {
    const file = resolve(folder, bucket, key);
    if (file.startsWith(`${resolve(folder)}${sep}`)) return file;
    throw new Error(`s3://${bucket}/${key} leads out of ${folder}`);
  };
  return {
    readObject: async (bucket, key) => readFile(fileOf(bucket, key)),
    writeObject: async (bucket, key, body) => {
      const file = fileOf(bucket, key);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, body);
    },
  };
}

/** Runs any definition of the dialect under virtual time: waits take no time, Tasks answer from the mocks. */
export async function runDefinition(request: {
  readonly definition: unknown;
  readonly input: unknown;
  readonly mock?: Mock;
  /** Folder of the objects that distributed Maps read and write. */
  readonly objects?: string;
  readonly startAt: number;
}): Promise<AslResult> {
  const clock = new VirtualClock(request.startAt);
  const engine = new Engine({
    journal: new MemoryJournal(),
    clock,
    ids: systemIds(clock),
    random: seededRandom(1),
    ...(request.mock ? { mock: request.mock } : {}),
    integrations: {
      invokeFunction: ({ functionName }) => missing(`Function ${functionName}`),
      ...objectsIn(request.objects),
      putEvents: () => missing('The event bus'),
      snsPublish: () => missing('The topic'),
      sqsSendMessage: () => missing('The queue'),
    },
    onFault: (error) => {
      throw error;
    },
  });
  engine.registerMachine({ name: 'machine', definition: request.definition });
  const { executionArn } = await engine.startExecution({
    machine: 'machine',
    name: 'run',
    input: request.input,
  });
  const over = await runVirtual(clock, {
    isOver: async () => (await engine.describeExecution(executionArn)).status !== 'RUNNING',
    idle: () => idle(engine),
  });
  if (!over)
    await engine.stopExecution(executionArn, {
      error: 'Waiting',
      cause: 'The run waits for a task token that nobody will send; mock the state.',
    });
  const { status, output, error, cause } = await engine.describeExecution(executionArn);
  const history = await engine.getExecutionHistory(executionArn, { limit: 100_000 });
  await engine.close();
  return {
    status,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    history,
  };
}

/** Quiet for several turns of the event loop. */
async function idle(engine: Engine): Promise<void> {
  for (let calm = 0; calm < 5; ) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    calm = engine.busy ? 0 : calm + 1;
  }
}
