/** A time of day in UTC, as `08:00`. */
export const timeOfDay = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

const day = 86_400_000;

/** The first moment after `from` (milliseconds) at which it is that time of day in UTC. */
export function nextTimeOfDay(text: string, from: number): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  const at = Math.floor(from / day) * day + (hours * 60 + minutes) * 60_000;
  return at > from ? at : at + day;
}
