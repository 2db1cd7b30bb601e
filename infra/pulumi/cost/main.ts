import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { costCommand } from './cost-command.ts';

try {
  process.stdout.write(await costCommand(process.argv.slice(2), Date.now()));
} catch (error) {
  if (!(error instanceof EpsilonError)) throw error;
  process.stderr.write(`error ${error.code}: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
