import { functionIds } from '../../../lib/config/logical-ids.ts';
import { account } from '../../fixtures/aws-base.ts';
import type { Recorded } from '../../rights/deployed-night.ts';
import { platformRequests, rareRequests } from '../../rights/other-requests.ts';
import { type AwsRequest, resources } from '../../rights/requests.ts';
import { type Place, policiesOfFunction, requestIn, tokenKeyPolicy } from '../../rights/role-policies.ts';
import type { Evaluator } from './evaluator.ts';
import { probes, shared } from './probes.ts';

/** What came of it: questions decided, and what was decided otherwise than it should be. */
export interface Verdict {
  allowed: number;
  refused: number;
  readonly faults: string[];
}

/** A key whose policy leaves the decision to IAM of the account, as all of ours do. */
const ownerDecides = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' },
  ],
};

const told = ({ action, resource, context }: AwsRequest) =>
  `${action} on ${resource} ${JSON.stringify(context)}`;

const distinct = (requests: readonly AwsRequest[]) => [
  ...new Map(requests.map((request) => [JSON.stringify(request), request])).values(),
];

/** Requests of one kind need the same statement: tenant, run, day, stage, job and digest are left out. */
function kindOf({ action, resource, context }: AwsRequest): string {
  const [partition = ''] = [context['dynamodb:LeadingKeys'] ?? ''].flat();
  const of = partition === '' ? '' : ` ${partition.replace(/#.*/, '#')}`;
  if (partition !== '') return `${action} ${resource.includes('/index/') ? 'index' : 'table'}${of}`;
  if (resource === resources.dataKey) return `${action} data-key ${context['kms:ViaService']}`;
  if (resource === resources.tokenKey) return `${action} token-key`;
  const [prefix = ''] = [context['s3:prefix'] ?? ''].flat();
  if (prefix !== '') return `${action} ${resource} ${prefix.endsWith('result.json') ? 'results' : 'outputs'}`;
  const place = resource
    // Runs of checks are no runs of tenants.
    .replace(/quality\/.*/, 'quality/*')
    .replace(/(arn:aws:s3:::[^/]+)\/[^/]+\/runs\/.*/, '$1/*/runs/*')
    .replace(/(arn:aws:s3:::[^/]+)\/(acme|beta|gamma)\/(training_data\/)?.*/, '$1/*/$3*')
    .replace(/nights\/.*/, 'nights/*')
    .replace(/recovery\/exports\/.*/, 'recovery/exports/*')
    .replace(/-(drill|restore)-[0-9a-f]{10}$/, '-$1-*')
    .replace(/(snapshot:epsilon-\w+)-.*/, '$1-*')
    .replace(/(execution:[^:]+):.*/, '$1:*')
    .replace(/:job\/.*/, ':job/*')
    .replace(/-stage-.*/, '-stage-*')
    .replace(/job-queue\/.*/, 'job-queue/*');
  return `${action} ${place}`;
}

/** Judges the functions' roles in one environment. */
export class FunctionRoles {
  readonly #evaluator: Evaluator;
  readonly #place: Place;
  readonly #recorded: Recorded;
  readonly verdict: Verdict = { allowed: 0, refused: 0, faults: [] };

  constructor(evaluator: Evaluator, place: Place, recorded: Recorded) {
    this.#evaluator = evaluator;
    this.#place = place;
    this.#recorded = recorded;
  }

  async #expect(key: string, request: AwsRequest, allowed: boolean, why = ''): Promise<void> {
    const { environment } = this.#place;
    const asked = requestIn(request, environment);
    const kms = asked.action.startsWith('kms:');
    const keyPolicy = asked.resource === resources.tokenKey ? tokenKeyPolicy(this.#place) : ownerDecides;
    const found = await this.#evaluator.allows({
      principal: `arn:aws:sts::${account}:assumed-role/epsilon-${environment}-${functionIds(key).role}/${key}`,
      request: asked,
      policies: policiesOfFunction(this.#place, key),
      ...(kms ? { resourcePolicy: keyPolicy } : {}),
    });
    if (found === allowed) this.verdict[allowed ? 'allowed' : 'refused'] += 1;
    else
      this.verdict.faults.push(
        `${environment}: ${key} ${allowed ? 'may not' : 'may'} ${told(asked)}${why === '' ? '' : `: ${why}`}`,
      );
  }

  /** Everything that a function asks, and that Lambda asks in its name. */
  async everyPath(): Promise<void> {
    for (const [key, requests] of this.#recorded) {
      const all = [...requests, ...(rareRequests[key] ?? []), ...platformRequests(this.#place, key)];
      for (const request of distinct(all)) await this.#expect(key, request, true);
    }
  }

  /** What must be refused whoever asks. */
  async everyProbe(): Promise<void> {
    for (const { of, except, why, request } of probes)
      for (const key of of === 'everybody' ? this.#recorded.keys() : [of])
        if (!except?.includes(key)) await this.#expect(key, request, false, why);
  }

  /** What another function asks and this one does not: refused, or of a kind that is granted whole. */
  async othersRequests(): Promise<void> {
    const kinds = new Map(
      [...this.#recorded].map(([key, requests]) => [
        key,
        new Map([...requests, ...(rareRequests[key] ?? [])].map((request) => [kindOf(request), request])),
      ]),
    );
    for (const [key, own] of kinds) {
      const others = new Map([...kinds.values()].flatMap((each) => [...each]));
      for (const [kind, request] of others)
        if (!own.has(kind) && !shared.some(({ kind: known, of = key }) => of === key && known.test(kind)))
          await this.#expect(key, request, false, 'another function’s');
    }
  }
}
