import { createHash } from 'node:crypto';
import {
  BatchClient,
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  RegisterJobDefinitionCommand,
} from '@aws-sdk/client-batch';
import { CreateRepositoryCommand, ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Clients } from '../../../lib/aws/wiring/clients.ts';
import type { ServiceConfig } from '../../../lib/config/service-config.ts';
import { ssmParameterName, ssmParameters } from '../../../lib/config/ssm-parameters.ts';
import { contractLabel, contractVersion } from '../../../lib/training/attempts/job-contract.ts';
import {
  type ImageName,
  imageNames,
  type StageName,
  stageNames,
  stages,
} from '../../../lib/training/stages.ts';

type Names<N extends string> = Readonly<Record<N, string>>;

/** What an image says of itself, kept by the registry: which versions of the job contract it accepts. */
async function keepConfig(
  endpoint: string,
  repositoryName: string,
): Promise<{ digest: string; size: number }> {
  const text = JSON.stringify({ config: { Labels: { [contractLabel]: String(contractVersion) } } });
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const where = `${endpoint}/v2/${repositoryName}/blobs/uploads/?digest=${digest}`;
  const { status } = await fetch(where, { method: 'POST', body: text });
  if (status !== 201) throw new Error(`${where} answered ${status}`);
  return { digest, size: Buffer.byteLength(text) };
}

/** Repositories with one image each: what `ecr/<image>-url` says, and a reference by digest. */
async function pushImages(
  clients: Clients,
  endpoint: string,
): Promise<{ urls: Names<ImageName>; references: Names<ImageName> }> {
  const ecr = clients.of(ECRClient);
  const urls: Partial<Record<ImageName, string>> = {};
  const references: Partial<Record<ImageName, string>> = {};
  for (const image of imageNames) {
    const repositoryName = `epsilon-dev/${image}`;
    const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName }));
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: await keepConfig(endpoint, repositoryName),
      layers: [],
    };
    const put = new PutImageCommand({
      repositoryName,
      imageTag: '1.0.0',
      imageManifest: JSON.stringify({ ...manifest, image }),
    });
    const digest = (await ecr.send(put)).image?.imageId?.imageDigest ?? '';
    urls[image] = repository?.repositoryUri ?? '';
    references[image] = `${urls[image]}@${digest}`;
  }
  return { urls: urls as Names<ImageName>, references: references as Names<ImageName> };
}

async function createQueue(clients: Clients, name: string): Promise<string> {
  const batch = clients.of(BatchClient);
  const { computeEnvironmentArn = '' } = await batch.send(
    new CreateComputeEnvironmentCommand({ computeEnvironmentName: name, type: 'MANAGED', state: 'ENABLED' }),
  );
  const { jobQueueArn = '' } = await batch.send(
    new CreateJobQueueCommand({
      jobQueueName: name,
      state: 'ENABLED',
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: computeEnvironmentArn }],
    }),
  );
  return jobQueueArn;
}

async function defineJobs(clients: Clients, references: Names<ImageName>): Promise<Names<StageName>> {
  const found = stageNames.map(async (stage) => {
    const { jobDefinitionArn = '' } = await clients.of(BatchClient).send(
      new RegisterJobDefinitionCommand({
        jobDefinitionName: `epsilon-dev-stage-${stage}`,
        type: 'container',
        containerProperties: { image: references[stages[stage].image] },
      }),
    );
    return [stage, jobDefinitionArn] as const;
  });
  return Object.fromEntries(await Promise.all(found)) as Names<StageName>;
}

/** Makes what infrastructure makes, as far as the service's way of one run touches it, and leaves its parameters in SSM. */
export async function provision(
  clients: Clients,
  endpoint: string,
  config: ServiceConfig,
  accountId: string,
): Promise<void> {
  const { environment, region, dataBucket } = config;
  await clients.of(S3Client).send(
    new CreateBucketCommand({
      Bucket: dataBucket,
      CreateBucketConfiguration: { LocationConstraint: 'us-west-2' },
    }),
  );
  const { urls, references } = await pushImages(clients, endpoint);
  const { TopicArn = '' } = await clients
    .of(SNSClient)
    .send(new CreateTopicCommand({ Name: 'epsilon-alerts-dev' }));
  const { KeyMetadata } = await clients.of(KMSClient).send(new CreateKeyCommand({}));
  const values: Readonly<Record<string, string>> = {
    'alerts/topic-arn': TopicArn,
    'batch/spot-queue-arn': await createQueue(clients, 'epsilon-dev-spot'),
    'batch/on-demand-queue-arn': await createQueue(clients, 'epsilon-dev-on-demand'),
    'batch/job-definition-arns': JSON.stringify(await defineJobs(clients, references)),
    ...Object.fromEntries(imageNames.map((image) => [`ecr/${image}-url`, urls[image]])),
    'jobs/role-arn': `arn:aws:iam::${accountId}:role/epsilon-tenant-job-dev`,
    'kms/key-arn': KeyMetadata?.Arn ?? '',
    'kms/logs-key-arn': KeyMetadata?.Arn ?? '',
    's3/data-bucket': dataBucket,
  };
  for (const { name } of ssmParameters) {
    const Name = ssmParameterName(environment, name);
    // What the way of one run does not touch only has to be there.
    const unused = name.endsWith('-arn')
      ? `arn:aws:unused:${region}:${accountId}:unused`
      : `not-used-in-${region}`;
    const Value = values[name] ?? unused;
    await clients.of(SSMClient).send(new PutParameterCommand({ Name, Value, Type: 'String' }));
  }
}
