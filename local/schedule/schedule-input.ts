/** What the placeholders of one delivery stand for. */
export interface ScheduleDelivery {
  /** ISO instant. */
  readonly scheduledTime: string;
  readonly scheduleArn: string;
  readonly executionId: string;
  /** From 1. */
  readonly attempt: number;
}

/**
 * A schedule's input for one delivery: JSON text with `<aws.scheduler.scheduled-time>`, `schedule-arn`, `execution-id`
 * and `attempt-number` filled in, as EventBridge Scheduler does. Times have whole seconds. Throws `SyntaxError`.
 */
export function fillInput(input: string, delivery: ScheduleDelivery): unknown {
  const values: Readonly<Record<string, string>> = {
    'scheduled-time': delivery.scheduledTime.replace(/\.\d{3}Z$/, 'Z'),
    'schedule-arn': delivery.scheduleArn,
    'execution-id': delivery.executionId,
    'attempt-number': String(delivery.attempt),
  };
  return JSON.parse(
    input.replace(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name: string) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      return value === undefined ? whole : JSON.stringify(value).slice(1, -1);
    }),
  ) as unknown;
}
