import { z } from 'zod';

/**
 * The section `tracing` of the settings: where the traces of runs go when these settle. `otlp` is a collector, `xray` X-Ray's own endpoint, as
 * the function's role.
 */
export const tracingSchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('off') }),
    z.strictObject({
      mode: z.literal('otlp'),
      /** Address for traces with its path, as http://127.0.0.1:4318/v1/traces. */
      endpoint: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
    }),
    z.strictObject({ mode: z.literal('xray') }),
  ])
  .default({ mode: 'off' });
