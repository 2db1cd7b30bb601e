import type { Actor } from './actors.ts';
import { digest, digestOf } from './digest.ts';
import { footprintOf } from './footprint.ts';
import { callerName, type Guards } from './guards.ts';
import { openRecords, type Stores } from './memory-stores.ts';
import { isWrite, outcomesOf } from './outcomes.ts';
import type { StoreKind } from './store-kinds.ts';

const names = ['runs', 'leases', 'locks', 'claims', 'models', 'verdicts', 'tenants', 'imageRecords'] as const;

/** The in-memory stores; `guards` counts their conditions, or takes one out. */
export function memoryKind(guards: Guards): StoreKind {
  return {
    name: 'memory',
    turns: 0,
    guards,
    open: (gate) => {
      const { records, ...direct } = openRecords({ guards });
      const gated = (actor: Actor, name: (typeof names)[number]) =>
        new Proxy(direct[name], {
          get: (target, method) => {
            const label = `${name}.${String(method)}`;
            const work = (target as unknown as Record<string | symbol, (...args: unknown[]) => unknown>)[
              method
            ];
            return (...args: unknown[]) => {
              const site = isWrite(label) ? `${callerName()} ${String(method)}` : '';
              const perform = () => guards.during(site, () => work?.apply(target, args));
              const footprint = footprintOf(label, args);
              return gate(actor, { label, footprint, outcomes: outcomesOf(label), perform });
            };
          },
        });
      return {
        direct,
        of: (actor) =>
          Object.fromEntries(names.map((name) => [name, gated(actor, name)])) as unknown as Stores,
        records: () => records,
        state: () =>
          digest(
            [...records]
              .map(([key, record]) => `${key}=${digestOf(record)}`)
              .sort()
              .join('\n'),
          ),
      };
    },
  };
}
