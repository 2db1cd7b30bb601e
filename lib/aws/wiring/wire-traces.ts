import { noTraceSink, otlpTraceSink, type SignBody } from '../../system/otlp-trace-sink.ts';
import type { AwsBase } from './base.ts';

/** Signs as this process's role. */
function signer({ clients, config }: AwsBase): SignBody {
  return async ({ hostname, pathname }, body) => {
    const { SignatureV4, STSClient } = await import('../lazy/eks.ts');
    const { credentials, sha256 } = clients.of(STSClient).config;
    const v4 = new SignatureV4({ service: 'xray', region: config.region, credentials, sha256 });
    const { headers } = await v4.sign({
      method: 'POST',
      protocol: 'https:',
      hostname,
      path: pathname,
      headers: { host: hostname, 'content-type': 'application/json' },
      body,
    });
    const { host: _ours, ...others } = headers;
    return others;
  };
}

/** Spans: to a collector, or to X-Ray's endpoint for OTLP; nowhere where the settings name none. */
export const wireTraces = (base: AwsBase) => {
  const { tracing, environment, region } = base.config;
  if (tracing.mode === 'off') return { traces: noTraceSink };
  if (tracing.mode === 'otlp') return { traces: otlpTraceSink({ endpoint: tracing.endpoint, environment }) };
  const suffix = base.deployment.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const endpoint = `https://xray.${region}.${suffix}/v1/traces`;
  return { traces: otlpTraceSink({ endpoint, environment, sign: signer(base) }) };
};
