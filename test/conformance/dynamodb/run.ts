import { startVitest } from 'vitest/node';
import { conclude } from '../debian.ts';
import { type Emulator, emulators, startEmulator } from './emulators.ts';

/**
 * `npm run test:conformance:dynamodb [name ...]`: the contract suites of the stores against DynamoDBs that are not ours.
 * Amazon's own DynamoDB Local is not among them: its terms are not those of free software.
 */
const suite = 'test/conformance/dynamodb/contract.suite.ts';

interface Outcome {
  readonly compared: number;
  readonly faults: readonly string[];
}

async function runSuites(name: string, endpoint: string): Promise<Outcome> {
  const vitest = await startVitest([suite], {
    config: false,
    include: [suite],
    exclude: [],
    setupFiles: ['test/setup.ts'],
    watch: false,
    pool: 'forks',
    testTimeout: 60_000,
    reporters: ['dot'],
    env: { EPSILON_EMULATOR_ENDPOINT: endpoint, EPSILON_EMULATOR_NAME: name },
  });
  const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
  const faults = tests
    .filter((test) => test.result().state !== 'passed')
    .map((test) => `${name}: ${test.fullName}: ${test.result().errors?.[0]?.message ?? test.result().state}`);
  await vitest.close();
  return { compared: tests.length, faults };
}

async function runOn(emulator: Emulator): Promise<Outcome> {
  const running = await startEmulator(emulator);
  try {
    const outcome = await runSuites(emulator.name, running.endpoint);
    const passed = outcome.compared - outcome.faults.length;
    process.stdout.write(
      `${emulator.name} ${running.version}: ${passed} of ${outcome.compared} tests passed\n`,
    );
    return outcome;
  } finally {
    await running.stop();
  }
}

const asked = process.argv.slice(2).map((word) => word.toLowerCase());
const chosen = emulators.filter(({ name }) => asked.length === 0 || asked.includes(name.toLowerCase()));
let compared = 0;
const faults: string[] = [];
const missing: string[] = chosen.length === 0 ? [`there is no emulator ${asked.join(', ')}`] : [];
for (const emulator of chosen) {
  try {
    const outcome = await runOn(emulator);
    if (outcome.compared === 0) missing.push(`no test ran on ${emulator.name}`);
    compared += outcome.compared;
    faults.push(...outcome.faults);
  } catch (error) {
    missing.push((error as Error).message);
  }
}
conclude(compared, faults, missing.length > 0 ? missing.join('; ') : undefined);
