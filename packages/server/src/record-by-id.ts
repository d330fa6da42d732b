/** `record.hasOwnProperty(id)` is how older applications ask. */
const OWN_PROPERTY_TEST = Object.create(null, {
  hasOwnProperty: {
    value: Object.getOwnPropertyDescriptor(Object.prototype, 'hasOwnProperty')?.value,
    writable: true,
  },
}) as object;

/** An empty record of things by an id of the server's: besides its own it has no property but `hasOwnProperty()`. */
export function recordById<V>(): Record<string, V> {
  return Object.create(OWN_PROPERTY_TEST) as Record<string, V>;
}
