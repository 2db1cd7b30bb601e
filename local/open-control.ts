import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createFileObjectStore } from '../lib/files/file-object-store.ts';
import type { OperatorApi } from '../lib/ports/operator-api.ts';
import { SystemClock } from '../lib/system/system-clock.ts';
import { connectControl } from './control/client.ts';
import { loadLocalService } from './declaration/local-service.ts';
import { openRuntime, type RuntimeOptions } from './runtime.ts';

/**
 * The control plane of a state directory: the process that runs it, through its socket, or else this process.
 * Reading needs no lock; writing takes it (`STATE_LOCKED` when somebody without a socket holds it).
 */
export async function openControl(
  options: RuntimeOptions,
): Promise<{ readonly control: OperatorApi; readonly remote: boolean }> {
  const socket = join(resolve(options.stateDir), 'control.sock');
  if (existsSync(socket)) {
    const { config } = loadLocalService(options.projectDir, options.variables);
    const control = await connectControl(socket, {
      config,
      clock: options.clock ?? new SystemClock(),
      objects: createFileObjectStore({ root: join(resolve(options.stateDir), 'objects') }),
      onWaiting: options.onWaiting,
    });
    if (control) return { control, remote: true };
  }
  const runtime = await openRuntime(options);
  return { control: runtime.control, remote: false };
}
