import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { EvaluatorProcess } from '../../../../local/asl/jsonata/child-process.ts';
import { ProcessEvaluators } from '../../../../local/asl/jsonata/evaluators.ts';
import { machine, makeBench } from '../harness.ts';

const catastrophic = "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /^(a+)+$/)";

describe('evaluating processes', () => {
  const open: ProcessEvaluators[] = [];
  const started: EvaluatorProcess[] = [];
  const make = (processorMs?: number) => {
    const evaluators = new ProcessEvaluators({
      ...(processorMs === undefined ? {} : { processorMs }),
      start: () => {
        const process = new EvaluatorProcess();
        started.push(process);
        return process;
      },
    });
    open.push(evaluators);
    return (source: string, bindings = {}) =>
      evaluators.evaluate({ source, bindings: JSON.stringify(bindings), now: 0, seed: 's' });
  };
  afterEach(() => {
    for (const evaluators of open.splice(0)) evaluators.close();
    started.length = 0;
  });

  it('start with the first evaluation, and one is enough for what is quick', async () => {
    const evaluate = make();
    expect(started).toHaveLength(0);
    const results = await Promise.all(Array.from({ length: 200 }, (_, n) => evaluate(`$sum([${n}, 1])`)));
    expect(results.map((result) => result.kind === 'value' && result.text)).toEqual(
      Array.from({ length: 200 }, (_, n) => String(n + 1)),
    );
    expect(started).toHaveLength(1);
  });

  it('give a regular expression without end up at the deadline, while quick ones go on', async () => {
    const evaluate = make(500);
    await evaluate('$sum([1, 1])');
    const hostile = Array.from({ length: 3 }, (_, n) => evaluate(`${catastrophic} = ${n}`));
    const order: string[] = [];
    void Promise.all(hostile).then(() => order.push('hostile'));
    for (let n = 0; n < 20; n += 1) expect(await evaluate('$sum([1, 1])')).toMatchObject({ text: '2' });
    order.push('quick');
    expect(await Promise.all(hostile)).toEqual(
      hostile.map(() => ({
        kind: 'failed',
        message: 'Expression evaluation timeout: Check for infinite loop',
      })),
    );
    expect(order[0]).toBe('quick');
  });

  it('are replaced when they are killed from outside, and what they had under way is evaluated again', async () => {
    const evaluate = make();
    const work = evaluate('$sum([1..9])');
    await started[0]?.ready;
    started[0]?.kill({ kind: 'lost', reason: 'by the test' });
    expect(await work).toEqual({ kind: 'value', text: '45' });
    expect(started).toHaveLength(2);
  });

  it('fail an evaluation for good when they are lost under it again and again', async () => {
    const evaluators = new ProcessEvaluators({
      start: () => {
        const process = new EvaluatorProcess();
        void process.ready.then(() =>
          setImmediate(() => process.kill({ kind: 'lost', reason: 'by the test' })),
        );
        return process;
      },
    });
    open.push(evaluators);
    await expect(
      evaluators.evaluate({ source: catastrophic, bindings: '{}', now: 0, seed: '' }),
    ).rejects.toThrow('The process that evaluates expressions was lost: by the test.');
  });

  it('have none of the environment and no rights to write', () => {
    // Asked of the process itself, with the flags it is started with.
    const asked = `console.log(JSON.stringify([Object.keys(process.env).length, process.permission.has('fs.write'), process.permission.has('child'), process.permission.has('worker')]))`;
    const answer = execFileSync(
      process.execPath,
      [...new EvaluatorProcess().flags, '--input-type=module', '-e', asked],
      {
        env: {},
        encoding: 'utf8',
      },
    );
    expect(JSON.parse(answer)).toEqual([0, false, false, false]);
  });

  it('draw the same from the same seed, in whatever process', async () => {
    const [first, second] = [make(), make()];
    const drawn = '[$random(), $uuid(), $shuffle([1..5])]';
    expect(await first(drawn)).toEqual(await second(drawn));
    const [one, two] = [await first('$uuid()'), await first('$uuid() & ""')];
    expect(one).toEqual(two);
  });
});

describe('an engine', () => {
  const never = {
    evaluate: () => Promise.reject(new Error('no process is needed')),
    close: () => {},
  };

  it('starts no process for paths, literals and operators', async () => {
    const done = await makeBench({ options: { evaluators: never } }).run(
      machine({
        A: {
          Type: 'Pass',
          Assign: {
            a: '{% $states.input.list.n %}',
            t: "{% $now() & '/' & $states.context.Execution.Name %}",
          },
          Output: { sum: '{% 1 + 2 * 3 %}', all: '{% [$states.input, {"k": $exists($states.input.x)}] %}' },
          Next: 'B',
        },
        B: {
          Type: 'Choice',
          Choices: [{ Condition: '{% $count($a) = 2 and $not($states.input.sum > 7) %}', Next: 'C' }],
        },
        C: { Type: 'Succeed' },
      }),
      { list: [{ n: 1 }, { n: 2 }] },
    );
    expect(done.status).toBe('SUCCEEDED');
  });

  it('keeps virtual time while an expression is evaluated elsewhere', async () => {
    const bench = makeBench();
    const done = await bench.run(
      machine({
        P: {
          Type: 'Parallel',
          Branches: [
            {
              StartAt: 'Slow',
              States: {
                Slow: { Type: 'Pass', Output: '{% $count($sort([1..9000])) %}', Next: 'Then' },
                Then: { Type: 'Pass', Output: '{% $millis() %}', End: true },
              },
            },
            { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 1, End: true } } },
          ],
          End: true,
        },
      }),
    );
    expect((done.output as number[])[0]).toBe(Date.parse('2026-11-24T00:00:00Z'));
  });

  it('ends only the execution whose expression no process could be had for', async () => {
    const bench = makeBench({ options: { evaluators: never } });
    const definition = machine({ P: { Type: 'Pass', Output: '{% $sum([1]) %}', End: true } });
    bench.engine.registerMachine({ name: 'm', definition });
    const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
    await bench.engine.settled(executionArn);
    expect(await bench.engine.describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
    });
    expect(bench.faults).toHaveLength(1);
  });
});
