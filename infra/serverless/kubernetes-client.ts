import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * Where the Kubernetes client lies in a function's package: beside the bundles, because a bundle is read whole when a
 * function starts, and most invocations never touch the cluster.
 */
export const kubernetesClientFile = 'dist/kubernetes-client.cjs';

/** What lib/kubernetes and lib/aws/eks-cluster.ts take, by package; the rest (every API, every login) is left out. */
export const clusterNames: Readonly<Record<string, readonly string[]>> = {
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
  '@aws-sdk/client-eks': ['DescribeClusterCommand', 'EKSClient'],
  '@aws-sdk/client-sts': ['STSClient'],
  '@smithy/signature-v4': ['SignatureV4'],
};

/** Bundles of functions, which lie two folders deep, load what the cluster needs from its own file. */
export const clusterApart: Plugin = {
  name: 'cluster-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^@/ }, ({ path, kind, importer }) =>
      kind === 'dynamic-import' && path in clusterNames && !importer.includes('node_modules')
        ? { path: `../../${kubernetesClientFile}`, external: true }
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

/** Writes the client's file below a folder; whole or not at all, several packages may be built at once. */
export async function writeKubernetesClient(folder: string): Promise<string> {
  const file = join(folder, kubernetesClientFile);
  const own = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  await build({
    stdin: {
      contents: Object.entries(clusterNames)
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
