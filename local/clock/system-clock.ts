export { SystemClock } from '../../lib/system/system-clock.ts';
