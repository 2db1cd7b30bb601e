import { defineConfig } from 'vitest/config';

/** One configuration for `npm test`; suites that need more than npm are under test/conformance and have their own scripts. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/conformance/**', '**/node_modules/**'],
    environment: 'node',
    setupFiles: ['test/setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    // By default vitest leaves one processor to itself, which on two of them is half of the time.
    maxWorkers: '100%',
    // CI counts from the report what really ran.
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'node_modules/.cache/test-report.json' }]]
      : ['default'],
  },
});
