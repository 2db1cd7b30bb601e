import { JobFailure, jobExit } from '../job/failure.ts';
import { runJob } from '../job/run-job.ts';

await runJob({
  options: {
    'tenant-id': { type: 'string' },
    'model-type': { type: 'string' },
    epochs: { type: 'string' },
    'build-index': { type: 'boolean' },
    'refresh-cache': { type: 'boolean' },
  },
  run: async (context, args) => {
    // Each stage loads only what it needs: a process starts five times a night and tenant.
    if (args['build-index']) return (await import('./build-index.ts')).buildIndex(context);
    if (args['refresh-cache']) return (await import('./refresh-cache.ts')).refreshCache(context);
    if (args['model-type'] !== undefined) return (await import('./train.ts')).train(context, args);
    throw new JobFailure(
      jobExit.usage,
      'USAGE',
      'Say --model-type TYPE --epochs N, --build-index or --refresh-cache.',
    );
  },
});
