import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Longest first: Vitest knows lengths only from earlier runs, and begun last, packaging would be waited for alone. */
class PackagingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const packages = ({ moduleId }: TestSpecification) => moduleId.endsWith('/test/service/template.test.ts');
    return [...sorted.filter(packages), ...sorted.filter((file) => !packages(file))];
  }
}

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
    sequence: { sequencer: PackagingFirst },
    // One more than there are processors: many tests wait for processes that they start. Vitest's default is one less.
    maxWorkers: availableParallelism() + 1,
    // CI counts from the report what really ran.
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'node_modules/.cache/test-report.json' }]]
      : ['default'],
  },
});
