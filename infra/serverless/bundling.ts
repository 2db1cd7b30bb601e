import type { Plugin } from 'esbuild';
import { lazyBundle } from './lazy-bundle.ts';

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

/** What the bundler does beyond infra/serverless/esbuild.yml: it leaves out what no function says or asks. */
export default [
  lazyBundle,
  // Zod's messages in fifty languages; English, which is set up elsewhere, stays.
  leaveOut('languages', /\/locales\/index\.js$/, { from: /\/zod\//, contents: empty }),
  // A driver in C that PostgreSQL's own client would rather use; there is none.
  leaveOut('postgres-in-c', /^pg-native$/, { from: /\/pg\//, contents: 'module.exports = {};' }),
  leaveOut(
    'credential-providers',
    /^@aws-sdk\/credential-provider-(http|ini|login|process|sso|web-identity)$/,
    {
      from: /\/@aws-sdk\//,
      contents: absentProvider,
    },
  ),
];
