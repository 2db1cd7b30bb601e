import { describe, expect, it } from 'vitest';
import { machine, makeBench } from '../harness.ts';

async function failureOf(state: object, input: unknown) {
  const bench = makeBench();
  const done = await bench.run(
    machine({
      Start: { Type: 'Pass', Output: '{% $states.input.given %}', Next: 'S' },
      S: { ...state, End: true },
    }),
    { given: input },
  );
  const events = await bench.engine.getExecutionHistory(done.executionArn);
  return events.find(({ type }) => type === 'EvaluationFailed')?.['evaluationFailedEventDetails'];
}

const head = "An error occurred while executing the state 'S' (entered at the event id #4). ";

describe('an evaluation that fails with the words recorded on the service', () => {
  it.each([[true], [null], [1], ['string'], [{ foo: 'bar' }]])(
    'Map without Items refuses the input %j: it must be an array, an object is none',
    async (input) => {
      const processor = { StartAt: 'P', States: { P: { Type: 'Pass', End: true } } };
      expect(await failureOf({ Type: 'Map', ItemProcessor: processor }, input)).toEqual({
        error: 'States.QueryEvaluationError',
        cause: `${head}Map state input must be an array but was: ${JSON.stringify(input)}`,
        state: 'S',
      });
    },
  );

  it('an inline Map refuses Items that are an object', async () => {
    const ItemProcessor = { StartAt: 'P', States: { P: { Type: 'Pass', End: true } } };
    const Items = "{% {'foo': 'bar'} %}";
    expect(await failureOf({ Type: 'Map', Items, ItemProcessor }, {})).toEqual({
      error: 'States.QueryEvaluationError',
      cause: `${head}The JSONata expression '{'foo': 'bar'}' specified for the field 'Items' returned an unexpected result type. Expected 'array', but was 'object' for value: {"foo":"bar"}`,
      location: 'Items',
      state: 'S',
    });
  });

  it.each(['2016-13-05T21:29:29Z', '05-12-2016T21:29:29Z', '2016-12-05 21:29:29Z', '2016-12-05T21:29:29'])(
    'Wait refuses the Timestamp %s',
    async (at) => {
      expect(await failureOf({ Type: 'Wait', Timestamp: '{% $states.input.at %}' }, { at })).toEqual({
        error: 'States.QueryEvaluationError',
        cause: `${head}The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${at}`,
        location: 'Timestamp',
        state: 'S',
      });
    },
  );
});
