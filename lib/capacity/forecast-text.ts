import type { Forecast } from './night-plan.ts';

const number = (value: number) => value.toLocaleString('en-US');

const clock = (iso: string) => `${iso.slice(11, 16)} UTC`;

/** `, needs 1,150 vCPU more in batch/spot`, as far as anything helps. */
function needs({ missingVcpus, neededConcurrency, tooLong, tooLarge }: Forecast): string {
  const parts = Object.entries(missingVcpus).map(
    ([queue, vcpus]) => `needs ${number(vcpus)} vCPU more in ${queue}`,
  );
  if (neededConcurrency !== undefined)
    parts.push(`needs training.maxConcurrency ${number(neededConcurrency)}`);
  if (tooLong.length > 0) parts.push(`${number(tooLong.length)} take longer than the time that is left`);
  if (tooLarge.length > 0) parts.push(`${number(tooLarge.length)} are larger than their whole queue`);
  return parts.length === 0 ? '' : `; ${parts.join('; ')}`;
}

/** A forecast in one line, as `9,800 of 10,000 tenants by 08:00 UTC; needs 1,150 vCPU more in batch/spot`. */
export function forecastText(forecast: Forecast): string {
  const { tenants, onTime, deadline, endsAt } = forecast;
  if (tenants === 0) return `no tenant is due by ${clock(deadline)}`;
  const end =
    endsAt.slice(0, 10) === deadline.slice(0, 10) ? clock(endsAt) : `${endsAt.slice(0, 10)} ${clock(endsAt)}`;
  return `${number(onTime)} of ${number(tenants)} tenants by ${clock(deadline)}${needs(forecast)}; the last one ends about ${end}`;
}
