import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * Where the Kubernetes client lies in a function's package: beside the bundles, because a bundle is read whole when a
 * function starts, and most invocations never touch the cluster.
 */
export const kubernetesClientFile = 'dist/kubernetes-client.cjs';

/** What lib/kubernetes takes from the client's package; the rest of it (every API, every login) is left out. */
export const kubernetesClientNames = [
  'BatchV1Api',
  'CoordinationV1Api',
  'CoreV1Api',
  'PatchStrategy',
  'ResponseContext',
  'ServerConfiguration',
  'createConfiguration',
  'setHeaderOptions',
  'wrapHttpLibrary',
] as const;

/** Bundles of functions, which lie two folders deep, load the client from its own file. */
export const clientApart: Plugin = {
  name: 'kubernetes-client-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: `../../${kubernetesClientFile}`,
      external: true,
    }));
  },
};

/** The client's own HTTP, in whose place lib/kubernetes puts its transport. */
const withoutItsHttp: Plugin = {
  name: 'without-its-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'without-its-http' }));
    onLoad({ filter: /.*/, namespace: 'without-its-http' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** Writes the client's file below a folder; whole or not at all, several packages may be built at once. */
export async function writeKubernetesClient(folder: string): Promise<string> {
  const file = join(folder, kubernetesClientFile);
  const own = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  await build({
    stdin: {
      contents: `export { ${kubernetesClientNames.join(', ')} } from '@kubernetes/client-node';`,
      resolveDir: import.meta.dirname,
    },
    ...{ bundle: true, minify: true, keepNames: true, format: 'cjs', platform: 'node', target: 'node24' },
    ...{ mainFields: ['module', 'main'], plugins: [withoutItsHttp], outfile: own, logLevel: 'error' },
  });
  renameSync(own, file);
  return file;
}
