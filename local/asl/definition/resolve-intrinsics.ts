import { isObject, type Json } from '../model/json.ts';

/** Turns a CloudFormation intrinsic (`{"Fn::GetAtt": [...]}`, `{"Ref": ...}`) into text; undefined when it cannot. */
export type Resolve = (intrinsic: { readonly [key: string]: Json }) => string | undefined;

/** Whether a value stands for something that is known only where the service is deployed. */
export function isIntrinsic(value: Json): value is { readonly [key: string]: Json } {
  if (!isObject(value)) return false;
  const [key, ...more] = Object.keys(value);
  return more.length === 0 && key !== undefined && (key === 'Ref' || key.startsWith('Fn::'));
}

/** Replaces every intrinsic of a definition by what `resolve` gives. */
export function resolveIntrinsics(definition: unknown, resolve: Resolve): unknown {
  const value = definition as Json;
  if (Array.isArray(value)) return value.map((each) => resolveIntrinsics(each, resolve));
  if (!isObject(value)) return value;
  if (isIntrinsic(value)) return resolve(value) ?? value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, resolveIntrinsics(each, resolve)]),
  );
}

/** The name an intrinsic holds: the logical id of `Ref`, the first part of `Fn::GetAtt`. */
export const intrinsicName: Resolve = (intrinsic) => {
  const value = intrinsic['Ref'] ?? intrinsic['Fn::GetAtt'];
  const name = Array.isArray(value) ? (value as readonly Json[])[0] : value;
  return typeof name === 'string' ? name : undefined;
};
