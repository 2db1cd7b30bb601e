import { Logger } from '@aws-lambda-powertools/logger';
import { traceFields } from '../../event-schemas/trace-fields.ts';
import { withoutTokens } from '../../event-schemas/without-tokens.ts';
import type { Log } from '../../ports/log.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a log is made of; `POWERTOOLS_LOG_LEVEL` of the function decides what is written. */
export interface PowertoolsLogOptions {
  readonly environment: string;
  readonly logger?: Logger;
}

/**
 * Log lines in Powertools' form. Each carries the fields of the invocation under way (run, tenant, stage, attempt, trace
 * id). Every field named as a token is removed.
 */
export function createPowertoolsLog({
  environment,
  logger = new Logger({ serviceName: 'epsilon' }),
}: PowertoolsLogOptions): Log {
  const at = (fields: Fields): Log => {
    const line =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (message: string, more: Fields = {}) =>
        logger[level](
          message,
          withoutTokens({ environment, ...traceFields(), ...fields, ...more }) as Record<string, string>,
        );
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: (more) => at({ ...fields, ...more }),
    };
  };
  return at({});
}
