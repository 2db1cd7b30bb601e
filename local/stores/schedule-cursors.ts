import type { ScheduleCursorStore } from '../schedule/scheduler.ts';
import type { Database } from './database.ts';

/** Names of schedules have no slash: a pause has a row of its own beside its schedule's cursor. */
const pauseOf = (name: string) => `paused/${name}`;

/** Where the scheduler got to with each schedule, and which of them are paused. */
export function localScheduleCursors(db: Database): ScheduleCursorStore {
  const get = async (name: string) => {
    const at = db.get('SELECT at FROM cursors WHERE name = ?', name)?.['at'];
    return at === undefined ? undefined : String(at);
  };
  const put = (name: string, at: string) => {
    db.run('INSERT OR REPLACE INTO cursors (name, at) VALUES (?, ?)', name, at);
  };
  return {
    get,
    set: async (name, scheduledTime) => put(name, scheduledTime),
    pausedSince: (name) => get(pauseOf(name)),
    pause: async (name, at) => put(pauseOf(name), at),
    resume: async (name, at) =>
      db.transaction(() => {
        put(name, at);
        db.run('DELETE FROM cursors WHERE name = ?', pauseOf(name));
      }),
  };
}
