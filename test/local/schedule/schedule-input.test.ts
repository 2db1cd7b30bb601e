import { describe, expect, test } from 'vitest';
import { fillInput } from '../../../local/schedule/schedule-input.ts';

const delivery = {
  scheduledTime: '2026-11-24T02:00:00.000Z',
  scheduleArn: 'arn:aws:scheduler:local:000000000000:schedule/default/epsilon-local-nightly',
  executionId: 'nightly-"1"',
  attempt: 3,
};

describe("the placeholders of a schedule's input", () => {
  test.each([
    ['the time, in whole seconds', '{"at":"<aws.scheduler.scheduled-time>"}', { at: '2026-11-24T02:00:00Z' }],
    ['the schedule', '{"from":"<aws.scheduler.schedule-arn>"}', { from: delivery.scheduleArn }],
    [
      'the try, also as a number',
      '{"text":"<aws.scheduler.attempt-number>","number":<aws.scheduler.attempt-number>}',
      { text: '3', number: 3 },
    ],
    ['a value with quotes, escaped', '{"id":"<aws.scheduler.execution-id>"}', { id: 'nightly-"1"' }],
    [
      'nothing, for names that do not exist',
      '{"x":"<aws.scheduler.constructor> <aws.scheduler.other>"}',
      { x: '<aws.scheduler.constructor> <aws.scheduler.other>' },
    ],
  ])("the placeholders of a schedule's input are filled with %s", (_, input, expected) => {
    expect(fillInput(input, delivery)).toEqual(expected);
  });

  test('an input that is not JSON throws, so that no half event is delivered', () => {
    expect(() => fillInput('{"at": <aws.scheduler.scheduled-time>}', delivery)).toThrow(SyntaxError);
  });
});
