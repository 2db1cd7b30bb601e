import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';
import { loadedLater } from './loaded-later.ts';

const empty = 'export {};';

/** What a provider of credentials becomes that Lambda never asks: a function gets its credentials in the environment. */
const absentProvider = `
module.exports = new Proxy({}, {
  get: (_, name) => name === '__esModule' ? false : () => {
    throw Object.assign(new Error('Functions take credentials from their environment; there are none.'),
      { name: 'CredentialsProviderError', tryNextLink: true });
  },
});`;

/** Replaces modules, by the end of their path within a package, or by the package's name. */
function leaveOut(name: string, filter: RegExp, options: { from: RegExp; contents: string }): Plugin {
  return {
    name,
    setup({ onResolve, onLoad }) {
      onResolve({ filter }, ({ path, importer }) =>
        options.from.test(importer) ? { path, namespace: name } : undefined,
      );
      onLoad({ filter: /.*/, namespace: name }, () => ({ contents: options.contents }));
    },
  };
}

/**
 * A client loaded when it is needed brings what is taken from it, and not its whole list of exports. The names are part of the
 * module's path: another file of the same bundle may take others from the same package.
 */
export const namesTaken: Plugin = {
  name: 'names-taken',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@aws-sdk\/client-/ }, ({ path, kind, importer, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const found = new RegExp(`const \\{([^}]+)\\} = await import\\('${path}'\\)`).exec(
        readFileSync(importer, 'utf8'),
      );
      return found
        ? {
            path: `${path}:${found[1]?.replace(/\s+/g, '')}`,
            namespace: 'names-taken',
            pluginData: { names: found[1], from: path, resolveDir },
          }
        : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'names-taken' }, ({ pluginData }) => {
      const { names, from, resolveDir } = pluginData as { names: string; from: string; resolveDir: string };
      return { contents: `export { ${names} } from '${from}';`, resolveDir };
    });
  },
};

/** What the bundler does beyond infra/serverless/esbuild.yml: it leaves out what no function says or asks. */
export default [
  loadedLater,
  namesTaken,
  // Zod's messages in fifty languages; English, which is set up elsewhere, stays.
  leaveOut('languages', /\/locales\/index\.js$/, { from: /\/zod\//, contents: empty }),
  leaveOut(
    'credential-providers',
    /^@aws-sdk\/credential-provider-(http|ini|login|process|sso|web-identity)$/,
    {
      from: /\/@aws-sdk\//,
      contents: absentProvider,
    },
  ),
];
