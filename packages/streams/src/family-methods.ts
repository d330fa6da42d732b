/** The methods of a demux that manage its consumers, of which families of method names are made. */
export const MANAGING_METHODS: readonly string[] = [
  'close',
  'closeAll',
  'kill',
  'killAll',
  'killConsumer',
  'getConsumerStats',
  'getConsumerStatsList',
  'getConsumerStatsListAll',
  'getBackpressure',
  'getBackpressureAll',
  'getConsumerBackpressure',
  'hasConsumer',
  'hasConsumerAll',
];

/**
 * The name that a method of a stream or demux has in a family of names: the family comes behind the verb, and `All` at
 * the end means all streams of the family. `closeAll` of the family `Listener` is `closeAllListeners`, `hasConsumerAll`
 * is `hasAnyListenerConsumer`, `getConsumerStats` is `getListenerConsumerStats`.
 */
export function familyMethodName(family: string, method: string): string {
  const [, verb = '', rest = ''] = /^([a-z]+)(.*)$/.exec(method) ?? [];
  if (!rest.endsWith('All')) return verb + family + rest;
  return `${verb}${verb === 'has' ? `Any${family}` : `All${family}s`}${rest.slice(0, -3)}`;
}

/**
 * Puts a family of methods on the prototype of a class, not enumerable: each hands its arguments to the method that it
 * is named after, of the source of its object. A method that the class has itself is kept. The class says so in its type
 * by an interface of its name, merged beside it.
 *
 * `nameOf` is the family, or gives the name of each method. `sourceOf` gives the source of an object, and may take the
 * first arguments away for that; the rest goes on.
 */
export function addFamilyMethods<Owner extends object>(
  target: { readonly prototype: Owner },
  methods: readonly string[],
  nameOf: string | ((method: string) => string),
  sourceOf: (owner: Owner, args: unknown[]) => object,
): void {
  for (const method of methods) {
    const name = typeof nameOf === 'string' ? familyMethodName(nameOf, method) : nameOf(method);
    if (Object.hasOwn(target.prototype, name)) continue;
    Object.defineProperty(target.prototype, name, {
      value(this: Owner, ...args: unknown[]): unknown {
        const source = sourceOf(this, args) as Record<string, (...args: unknown[]) => unknown>;
        return source[method]?.(...args);
      },
      writable: true,
      configurable: true,
    });
  }
}
