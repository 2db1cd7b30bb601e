import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDefinition } from '../../../../local/asl/runner/run-definition.ts';
import { freshDir, machine, midnight } from '../harness.ts';

const definition = machine({
  M: {
    Type: 'Map',
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSONL' },
      Arguments: { Bucket: 'b', Key: '{% $states.input.key %}' },
    },
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: 'P',
      States: { P: { Type: 'Wait', Seconds: 86_400, End: true } },
    },
    ResultWriter: {
      Resource: 'arn:aws:states:::s3:putObject',
      WriterConfig: { Transformation: 'COMPACT' },
      Arguments: { Bucket: 'out', Prefix: 'p' },
    },
    End: true,
  },
});

describe('a file that reads and writes objects', () => {
  it('finds and leaves them in a folder', async () => {
    const objects = freshDir();
    mkdirSync(join(objects, 'b'));
    writeFileSync(join(objects, 'b', 'items.jsonl'), '{"n":1}\n{"n":2}\n');
    const input = { key: 'items.jsonl' };
    const done = await runDefinition({ definition, input, objects, startAt: midnight });
    expect(done.status).toBe('SUCCEEDED');
    const [run = ''] = readdirSync(join(objects, 'out', 'p'));
    expect(readFileSync(join(objects, 'out', 'p', run, 'SUCCEEDED_0.json'), 'utf8')).toBe(
      '[{"n":1},{"n":2}]',
    );
  });

  it.each([
    ['without a folder', undefined, 'items.jsonl', 'name a folder of objects'],
    ['outside its folder', 'here', '../../secret', 'leads out of'],
  ])('fails as its reader does %s', async (_, folder, key, cause) => {
    const given = folder === undefined ? {} : { objects: freshDir() };
    const done = await runDefinition({ definition, input: { key }, startAt: midnight, ...given });
    expect(done).toMatchObject({ error: 'States.ItemReaderFailed', cause: expect.stringContaining(cause) });
  });
});
