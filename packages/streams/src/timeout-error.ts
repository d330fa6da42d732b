/**
 * The error of a wait that took longer than its timeout.
 *
 * `name` and `message` are own enumerable properties, so that a copy made by spreading or by `JSON.stringify`
 * still says what happened; `stack` is not enumerable and stays behind.
 */
export class TimeoutError extends Error {
  static {
    // V8 writes the first line of `stack` while the constructor of Error runs, when the own `name` does not exist yet.
    Object.defineProperty(this.prototype, 'name', {
      value: 'TimeoutError',
      configurable: true,
      writable: true,
    });
  }

  /** Always `'TimeoutError'`: tells this error from others also after it crossed a wire. */
  override readonly name = 'TimeoutError' as const;

  constructor(message?: string) {
    super(message);
    Object.defineProperty(this, 'message', {
      value: message ?? '',
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}
