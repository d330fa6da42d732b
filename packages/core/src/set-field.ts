/** Sets an ordinary field, whatever its name: a plain assignment to `__proto__` would set the prototype instead. */
export function setField(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
