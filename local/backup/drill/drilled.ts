import { parseArgs } from 'node:util';
import { environmentVariables } from '../../../lib/config/environment.ts';
import { serveSocket } from '../../control/server.ts';
import { openRuntime } from '../../runtime.ts';

/**
 * The control plane that a drill kills: alone with a copy of a state, it runs no schedule and notifies nobody. It says `ready` once it
 * answers on its socket.
 */
const { values } = parseArgs({
  options: {
    project: { type: 'string', default: '.' },
    state: { type: 'string', default: '' },
    backups: { type: 'string', default: '' },
    every: { type: 'string', default: '1000' },
  },
});

const runtime = await openRuntime({
  projectDir: values.project,
  stateDir: values.state,
  mode: 'write',
  variables: environmentVariables(),
  backups: values.backups,
  schedules: false,
  isolated: true,
  onFault: (error) => process.stderr.write(`${error.message}\n`),
});
await serveSocket(runtime.controlFor, runtime.state.socket, runtime);
await runtime.keepBackups(Number(values.every));
process.stdout.write('ready\n');
