/**
 * What became of a call that failed: it never left (`'not-sent'`), it left and nobody knows whether it had its effect
 * (`'unknown'`), or the peer got it and answered with an error (`'refused'`).
 */
export type Delivery = 'not-sent' | 'unknown' | 'refused';

/**
 * Writes on an error what became of its call, as the field `delivery`; a field that is there already is overwritten. It
 * is not enumerable, so that it does not travel with the error. What is no object, or cannot be extended, stays as it is.
 */
export function markDelivery(error: unknown, delivery: Delivery): void {
  if (typeof error !== 'object' || error === null) return;
  Reflect.defineProperty(error, 'delivery', { value: delivery, writable: true, configurable: true });
}
