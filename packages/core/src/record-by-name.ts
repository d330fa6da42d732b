/** `record.hasOwnProperty(name)` is how older applications ask. */
const OWN_PROPERTY_TEST = Object.create(null, {
  hasOwnProperty: {
    value: Object.getOwnPropertyDescriptor(Object.prototype, 'hasOwnProperty')?.value,
    writable: true,
  },
}) as object;

/** An empty record whose names may come from anywhere: besides its own it has no property but `hasOwnProperty()`. */
export function recordByName<V>(): Record<string, V> {
  return Object.create(OWN_PROPERTY_TEST) as Record<string, V>;
}
