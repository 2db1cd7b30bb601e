import { backupMachines } from '../backup/machines.ts';
import { qualityMachines } from '../quality/machines.ts';
import { releaseMachines } from '../release/machines.ts';
import { scalingMachines } from '../scaling/machines.ts';
import { trainingMachines } from '../training/machines.ts';
import type { Machine } from './machine.ts';

/** Every state machine of the service, by area. */
export const machines: readonly Machine[] = [
  ...trainingMachines,
  ...qualityMachines,
  ...scalingMachines,
  ...backupMachines,
  ...releaseMachines,
];

/** The machine with this key; undefined for one that this version does not know (another may be deployed). */
export function findMachine(key: string): Machine | undefined {
  return machines.find((machine) => machine.key === key);
}
