import type { Tracer } from '@aws-lambda-powertools/tracer';
import type { Tracing } from '../../ports/tracing.ts';

/** What traces a process: segments of invocations, subsegments of SDK calls. */
export interface TracingSetup {
  readonly tracing: Tracing;
  /** Makes the calls of a client visible as subsegments. */
  traceClient(client: object): void;
}

type Segment = NonNullable<ReturnType<Tracer['getSegment']>>;

/** Segments through Powertools' tracer, on Lambda; our trace id and the run are annotations, which X-Ray can search. */
export function createTracing(tracer: Tracer): TracingSetup {
  let parent: Segment | undefined;
  let own: Segment | undefined;
  return {
    traceClient: (client) => {
      tracer.captureAWSv3Client(client);
    },
    tracing: {
      begin: (name) => {
        parent = tracer.getSegment();
        if (!parent) return;
        own = parent.addNewSubsegment(`## ${name}`);
        tracer.setSegment(own);
        tracer.annotateColdStart();
      },
      end: (fields, error) => {
        if (!parent || !own) return;
        for (const [key, value] of Object.entries(fields)) tracer.putAnnotation(key, value);
        if (error instanceof Error) tracer.addErrorAsMetadata(error);
        own.close();
        tracer.setSegment(parent);
        parent = undefined;
        own = undefined;
      },
    },
  };
}
