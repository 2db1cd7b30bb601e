import type { AttemptKey } from '../../lib/ports/run-store.ts';
import { taskIdOf } from '../aws/batch-stand-in.ts';
import { account } from '../fixtures/aws-base.ts';
import type { DeployedNight } from './deployed-night.ts';

/** Milliseconds. */
export const minute = 60_000;

/** One story: what happens in a night that is open. */
export interface Scenario {
  readonly name: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Whether schedules fire; they do unless this says no. */
  readonly schedules?: boolean;
  readonly happens: (night: DeployedNight) => Promise<void>;
}

/** Lets time run until an execution is over; throws when it ends otherwise. */
export async function mustEnd(night: DeployedNight, arn: string, status: string): Promise<void> {
  const detail = await night.until(arn);
  if (detail.status !== status) throw new Error(`${arn} is ${detail.status}, not ${status}: ${detail.cause}`);
}

/** The request of an attempt's job, as API Gateway passes it on. */
export const questionOf = (of: (AttemptKey & { readonly jobId?: string }) | undefined) => ({
  body: JSON.stringify({ runId: of?.runId, stage: of?.stage, attempt: of?.attempt }),
  requestContext: {
    requestId: '1',
    identity: {
      userArn: `arn:aws:sts::${account}:assumed-role/epsilon-dev-job-batch/${taskIdOf(of?.jobId ?? '')}`,
    },
  },
});
