import type { Schedules } from '../../ports/schedules.ts';

/** What pausing needs. */
interface PausingPorts {
  readonly schedules: Pick<Schedules, 'pause' | 'resume'>;
}

/** Keeps a schedule from delivering until it is resumed; executions under way go on. `SCHEDULE_NOT_FOUND`. */
export async function pauseSchedule({ schedules }: PausingPorts, name: string): Promise<void> {
  await schedules.pause(name);
}

/** Lets a schedule deliver again, from its next occurrence on. `SCHEDULE_NOT_FOUND`, `SCHEDULE_OFF`. */
export async function resumeSchedule({ schedules }: PausingPorts, name: string): Promise<void> {
  await schedules.resume(name);
}
