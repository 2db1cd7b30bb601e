import { getStack } from '@pulumi/pulumi';
import { createPlatform } from './platform.ts';
import { readSettings } from './settings.ts';

/** The program `pulumi up` runs: the stack's name is the environment. Settings are checked before the first resource. */
export const { clusterName, clusterEndpoint } = createPlatform(readSettings(getStack()));
