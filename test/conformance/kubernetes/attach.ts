import { readFileSync } from 'node:fs';
import { jobManifest } from '../../../lib/kubernetes/job-manifest.ts';
import type { Transport } from '../../../lib/kubernetes/transport.ts';
import type { JobSpec } from '../../../lib/training/attempts/job.ts';
import { deployment } from '../../kubernetes/harness.ts';
import { type Kubectl, kubectlFor, transportTo, variables, type Who } from './control-plane.ts';

/** A control plane that another process started. */
export interface Attached {
  transport(who: Who): Transport;
  readonly kubectl: Kubectl;
  evictPodOf(jobName: string): Promise<void>;
  /** As somebody with `kubectl delete job` does. */
  deleteJob(jobName: string): Promise<void>;
  /** What admission says about a job and about the pod it would make, without making either. */
  admissionWarnings(spec: JobSpec): Promise<string[]>;
  close(): void;
}

/** Finds the control plane that run.ts started. */
export function attach(): Attached {
  const server = process.env[variables.server] ?? '';
  const ca = readFileSync(process.env[variables.ca] ?? '', 'utf8');
  const open: Transport[] = [];
  const transport = (who: Who) => {
    const made = transportTo(server, ca, who);
    open.push(made);
    return made;
  };
  const admin = transport('admin');
  const send = (method: string, path: string, body?: object) =>
    admin.send({
      method,
      path,
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  return {
    transport,
    kubectl: kubectlFor(process.env[variables.program] ?? '', process.env[variables.kubeconfig] ?? ''),
    evictPodOf: async (jobName) => {
      const selector = encodeURIComponent(`batch.kubernetes.io/job-name=${jobName}`);
      const { body } = await send('GET', `/api/v1/namespaces/ml-jobs/pods?labelSelector=${selector}`);
      const { items } = JSON.parse(body) as { items: { metadata: { name: string } }[] };
      for (const { metadata } of items)
        await send('POST', `/api/v1/namespaces/ml-jobs/pods/${metadata.name}/eviction`, {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name: metadata.name, namespace: 'ml-jobs' },
        });
    },
    deleteJob: async (jobName) => {
      await send('DELETE', `/apis/batch/v1/namespaces/ml-jobs/jobs/${jobName}?propagationPolicy=Background`);
    },
    admissionWarnings: async (spec) => {
      const job = jobManifest(spec, deployment);
      const template = job.spec?.template;
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        ...template,
        metadata: { ...template?.metadata, name: 'dry' },
      };
      const dry = 'dryRun=All&fieldValidation=Strict';
      const answers = [
        await send('POST', `/apis/batch/v1/namespaces/ml-jobs/jobs?${dry}`, job),
        await send('POST', `/api/v1/namespaces/ml-jobs/pods?${dry}`, pod),
      ];
      return answers.flatMap(({ status, headers, body }) => [
        ...(status === 201 ? [] : [body]),
        ...(headers['warning'] ? [headers['warning']] : []),
      ]);
    },
    close: () => {
      for (const each of open) each.close();
    },
  };
}
