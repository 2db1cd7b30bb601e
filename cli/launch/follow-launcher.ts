/** How often is looked whether the launcher is still there, in milliseconds. */
const interval = 500;

/** A signal that comes again within so many milliseconds was sent once, to the launcher and to this process. */
const oneSignal = 400;

/** The process that a command was launched by, and what else is known of this one. */
export interface Launched {
  /** `EPSILON_LAUNCHER_PID`: set by the launcher where the command needs another Node than the user's. */
  readonly launcher: string | undefined;
  /** The parent of this process as it is now. */
  readonly parent: () => number;
  /** Milliseconds since any beginning. */
  readonly now: () => number;
}

/**
 * Handles what stops a command: `stop` gracefully at the first signal, `quit` at once at the second. A command that was
 * launched by another Node also stops when that process is gone: killed with SIGKILL, it cannot pass anything on, and the
 * command would hold the state directory with nobody to see it. Returns what to call at a signal and at each look.
 */
export function stopsWith(
  { launcher, parent, now }: Launched,
  { stop, quit }: { readonly stop: () => void; readonly quit: () => void },
): { readonly signal: () => void; readonly look: () => void } {
  const launched = launcher !== undefined && launcher === String(parent());
  let stopped: number | undefined;
  const begin = () => {
    stopped = now();
    stop();
  };
  return {
    signal: () => {
      if (stopped === undefined) begin();
      else if (!launched || now() - stopped > oneSignal) quit();
    },
    look: () => {
      if (launched && stopped === undefined && launcher !== String(parent())) begin();
    },
  };
}

/** Lets signals and the end of the launcher stop this process. */
export function followLauncher(
  launcher: string | undefined,
  acts: { readonly stop: () => void; readonly quit: () => void },
): void {
  const { signal, look } = stopsWith(
    { launcher, parent: () => process.ppid, now: () => performance.now() },
    acts,
  );
  process.on('SIGINT', signal);
  process.on('SIGTERM', signal);
  if (launcher !== undefined) setInterval(look, interval).unref();
}
