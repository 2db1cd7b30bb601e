import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * Where packages lie that most invocations never touch (the cluster, and which jobs run on an instance): beside a function's
 * bundle, which is read whole when the function starts.
 */
export const laterFile = 'dist/loaded-later.cjs';

/** What lib takes of them, by package; the rest (every API of Kubernetes, every login) is left out. */
export const laterNames: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': [
    'BatchV1Api',
    'CoreV1Api',
    'PatchStrategy',
    'ResponseContext',
    'ServerConfiguration',
    'createConfiguration',
    'setHeaderOptions',
    'wrapHttpLibrary',
  ],
  '@aws-sdk/client-ecs': [
    'DescribeTasksCommand',
    'ECSClient',
    'ListContainerInstancesCommand',
    'ListTasksCommand',
  ],
  '@aws-sdk/client-eks': ['DescribeClusterCommand', 'EKSClient'],
  '@aws-sdk/client-sts': ['STSClient'],
  '@smithy/signature-v4': ['SignatureV4'],
};

/** Bundles of functions, which lie two folders deep, load these packages from their own file. */
export const loadedLater: Plugin = {
  name: 'loaded-later',
  setup({ onResolve }) {
    onResolve({ filter: /^@/ }, ({ path, importer }) =>
      path in laterNames && !importer.includes('node_modules')
        ? { path: `../../${laterFile}`, external: true }
        : undefined,
    );
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

/** Writes the file below a folder; whole or not at all, several packages may be built at once. */
export async function writeLoadedLater(folder: string): Promise<string> {
  const file = join(folder, laterFile);
  const own = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  await build({
    stdin: {
      contents: Object.entries(laterNames)
        .map(([from, names]) => `export { ${names.join(', ')} } from '${from}';`)
        .join('\n'),
      resolveDir: import.meta.dirname,
    },
    ...{ bundle: true, minify: true, format: 'cjs', platform: 'node', target: 'node24' },
    ...{ mainFields: ['module', 'main'], plugins: [withoutItsHttp], outfile: own, logLevel: 'error' },
  });
  renameSync(own, file);
  return file;
}
