import type { ServiceConfig } from '../../lib/config/service-config.ts';
import { recoveryPorts } from './recovery-ports.ts';
import { servingPorts } from './serving-ports.ts';
import { localTraces } from './traces.ts';

/** What a host has of what is around the control plane: what answers users, recovery, and who collects traces. */
export function surroundings(stateDir: string, config: ServiceConfig, epoch: () => number) {
  return { ...servingPorts(stateDir, config), ...recoveryPorts(epoch), traces: localTraces(config) };
}
