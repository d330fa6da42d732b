/** How long, in milliseconds, every wait of the testkit lasts before it fails the test. */
export const DEFAULT_DEADLINE_MS = 4000;

/**
 * Settles as `promise` does, or rejects after `deadlineMs` with an error that says what was awaited.
 *
 * The timer is cleared as soon as `promise` settles; the promise itself is not cancelled.
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  what: string,
  deadlineMs: number = DEFAULT_DEADLINE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Waited ${deadlineMs} ms for ${what}`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
