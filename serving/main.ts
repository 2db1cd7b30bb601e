import { serve } from './server.ts';

/**
 * The smallest stand-in for backend-api: what manifests, analyses and alerts ask of it. The real one is the customer's. With the word `schema` it
 * changes the schema before a release and ends: the stand-in has none, so that there is nothing to change, however often it is asked.
 */
const service = 'backend-api';
const [word] = process.argv.slice(2);
if (word === undefined) serve({ service });
else if (word === 'schema')
  process.stdout.write(`${JSON.stringify({ service, schema: 'none', changes: 0 })}\n`);
else {
  process.stderr.write('usage: node serving/main.ts [schema]\n');
  process.exitCode = 2;
}
