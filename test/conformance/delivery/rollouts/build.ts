import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { moduleFolder } from '../../kubernetes/build.ts';
import { newerGo, schemaModules } from '../schemas.ts';

const cache = resolve('node_modules/.cache/epsilon-rollouts');

/** Where the controller of Argo Rollouts is built to: another file for another version. */
export const controllerPath = (): string =>
  join(cache, `rollouts-controller-${schemaModules.rollouts.split('@')[1]}`);

/** Folder with the definitions of Rollouts' kinds. */
export const definitionsFolder = (): string =>
  join(moduleFolder(schemaModules.rollouts, newerGo), 'manifests/crds');

/**
 * Builds the controller once, seven minutes of two cores: of a copy of its module, because `go install` refuses a module that
 * replaces others. Says what is missing otherwise.
 */
export function buildController(): string | undefined {
  if (existsSync(controllerPath())) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-rollouts-'));
  try {
    cpSync(moduleFolder(schemaModules.rollouts, newerGo), folder, { recursive: true });
    spawnSync('chmod', ['-R', 'u+w', folder]);
    mkdirSync(cache, { recursive: true });
    process.stdout.write('building the controller of Argo Rollouts, once ...\n');
    const words = ['build', '-ldflags', '-s -w', '-o', controllerPath(), './cmd/rollouts-controller'];
    const built = spawnSync('go', words, {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, GOTOOLCHAIN: newerGo },
    });
    return built.status === 0 ? undefined : 'the controller could not be built';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
