import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function placesOf(program: string, folder: string, path: string): string[] {
  return program.includes('/')
    ? [resolve(folder, program)]
    : path.split(delimiter).map((each) => join(resolve(folder, each), program));
}

/** The program's path: from the folder when it has a slash, else where PATH finds it; undefined when nothing there can be run. */
export function findProgram(program: string, folder: string, path: string): string | undefined {
  return placesOf(program, folder, path).find(canRun);
}

/** A file of the program's name that cannot be run. */
export function findUnrunnable(program: string, folder: string, path: string): string | undefined {
  return placesOf(program, folder, path).find((file) => existsSync(file));
}
