import { defineConfig } from 'vitest/config';

/** Tests against the control plane that run.ts starts. */
// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    include: ['test/conformance/kubernetes/*.test.ts'],
    testTimeout: 100_000,
    hookTimeout: 100_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
