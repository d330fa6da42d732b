/**
 * A message that the subscribers of this process have been given, and that others still have to accept: nothing but
 * its acknowledgement waits for that.
 */
export interface HandedOver {
  /** Resolves when it was accepted everywhere it has to go; rejects when it was not. */
  readonly accepted: Promise<void>;
}
