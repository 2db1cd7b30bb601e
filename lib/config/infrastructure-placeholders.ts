import type { InfrastructureConfig } from './infrastructure.ts';
import { refuse } from './infrastructure-refusal.ts';

/** Networks that no request from the internet comes from (RFC 5737, 1918, 6598, 2544, 3927), and what each is for. */
const unreachable: readonly (readonly [network: string, meaning: string])[] = [
  ['192.0.2.0/24', 'documentation'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['10.0.0.0/8', 'private networks'],
  ['172.16.0.0/12', 'private networks'],
  ['192.168.0.0/16', 'private networks'],
  ['100.64.0.0/10', "a provider's own network"],
  ['198.18.0.0/15', 'benchmarks'],
  ['127.0.0.0/8', 'the host itself'],
  ['169.254.0.0/16', 'the link'],
];

/** First and last address of a network, as numbers. */
function rangeOf(cidr: string): readonly [first: number, last: number] {
  const [address = '', prefix = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const number = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const first = Math.floor(number / size) * size;
  return [first, first + size - 1];
}

/** Whoever sets a network that nobody calls from has locked everybody out, and learns it after the cluster was made. */
function assertReachable(cidr: string): void {
  const [first, last] = rangeOf(cidr);
  for (const [network, meaning] of unreachable) {
    const [low, high] = rangeOf(network);
    if (first > high || last < low) continue;
    const message = `holds ${cidr}, and ${network} is reserved for ${meaning}; put your office and VPN egress addresses there`;
    throw refuse('PLACEHOLDER_LEFT', 'cluster.publicAccessCidrs', message, network);
  }
}

/** Placeholders of the committed files, and addresses of others that cannot be anybody's, as RFC 2606 reserves them. */
const unownedMail = /@(.*\.)?(example(\.(com|net|org))?|test|invalid|localhost)$/i;
const unownedOrganization =
  /^(your|my|example|owner|org|organization)([-_]?(org|organization|company|name))?\//i;

/**
 * What people have to fill in before the first resource is made: their addresses, their e-mail, their repository. Error:
 * `PLACEHOLDER_LEFT`, naming the key.
 */
export function assertFilledIn(config: InfrastructureConfig): void {
  for (const cidr of config.cluster.publicAccessCidrs) assertReachable(cidr);
  const { alertEmail } = config.budget;
  const left = (key: string, value: string, wanted: string) =>
    refuse('PLACEHOLDER_LEFT', key, `is still ${value}; put ${wanted} there`, wanted);
  if (unownedMail.test(alertEmail))
    throw left('budget.alertEmail', alertEmail, 'an address that people read');
  const { repository } = config.github;
  if (unownedOrganization.test(repository))
    throw left('github.repository', repository, 'the repository that releases come from');
}
