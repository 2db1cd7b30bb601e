import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * Where packages lie that most invocations never touch (the cluster, and which jobs run on an instance): beside a function's
 * bundle, which is read whole when the function starts.
 */
export const lazyBundleFile = 'dist/lazy-bundle.cjs';

/**
 * What the lazy bundle holds: files that re-export what is taken of a package and hold nothing else. Code of the project
 * would exist twice, once in each bundle, and its classes would not be the same.
 */
export const lazyModules: readonly string[] = [
  'lib/aws/lazy/ecs.ts',
  'lib/aws/lazy/eks.ts',
  'lib/aws/lazy/secrets.ts',
  'lib/aws/lazy/storage.ts',
  'lib/kubernetes/lazy/client-node.ts',
].map((file) => resolve(import.meta.dirname, '../..', file));

/** Bundles of functions, which lie two folders deep, load these modules from the lazy bundle. */
export const lazyBundle: Plugin = {
  name: 'lazy-bundle',
  setup({ onResolve }) {
    onResolve({ filter: /\/lazy\/[a-z-]+\.ts$/ }, ({ path, resolveDir }) =>
      lazyModules.includes(resolve(resolveDir, path))
        ? { path: `../../${lazyBundleFile}`, external: true }
        : undefined,
    );
  },
};

/** The Kubernetes client's own HTTP, which the transport of lib/kubernetes replaces. */
const withoutUndici: Plugin = {
  name: 'without-undici',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'without-undici' }));
    onLoad({ filter: /.*/, namespace: 'without-undici' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** Writes the lazy bundle below a folder and returns its path; whole or not at all, several packages may be built at once. */
export async function writeLazyBundle(folder: string): Promise<string> {
  const file = join(folder, lazyBundleFile);
  const own = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  await build({
    stdin: {
      contents: lazyModules.map((module) => `export * from ${JSON.stringify(module)};`).join('\n'),
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    plugins: [withoutUndici],
    outfile: own,
    logLevel: 'error',
  });
  renameSync(own, file);
  return file;
}
