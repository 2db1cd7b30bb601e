import type { InstancePrices } from './prices.ts';

/** An instance, as far as jobs share it. */
export interface NodeShape {
  readonly vcpus: number;
  readonly memoryMiB: number;
}

/** Memory of a vCPU in the families that training groups are made of, in MiB. */
const memoryOfVcpu: Readonly<Record<string, number>> = { c: 2_048, m: 4_096, r: 8_192 };

/** The shape of a type such as `c5a.4xlarge`, by its name; undefined for families that training does not use. */
export function shapeOf(type: string): NodeShape | undefined {
  const [, family = '', times, size] = /^([cmr])\d[a-z]*\.(\d*)(large|xlarge)$/.exec(type) ?? [];
  const memory = Object.hasOwn(memoryOfVcpu, family) ? memoryOfVcpu[family] : undefined;
  if (memory === undefined || (size === 'large' && times !== '')) return undefined;
  const vcpus = size === 'large' ? 2 : 4 * Number(times || 1);
  return { vcpus, memoryMiB: vcpus * memory };
}

const familyOf = (type: string) => type.slice(0, type.indexOf('.'));

/**
 * On-demand price of an hour of a type: as it is listed, or that of another size of its family by the vCPU, as AWS prices sizes. Undefined where
 * neither is known.
 */
export function hourOfType(
  type: string,
  { instanceHour }: Pick<InstancePrices, 'instanceHour'>,
): number | undefined {
  if (Object.hasOwn(instanceHour, type)) return instanceHour[type];
  const wanted = shapeOf(type);
  const [sibling, usd] =
    Object.entries(instanceHour).find(([name]) => familyOf(name) === familyOf(type) && shapeOf(name)) ?? [];
  const known = sibling === undefined ? undefined : shapeOf(sibling);
  return wanted && known && usd !== undefined ? (usd / known.vcpus) * wanted.vcpus : undefined;
}
