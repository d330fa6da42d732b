let now: number | undefined;

function forget(): void {
  now = undefined;
}

/** Monotonic time in whole ms, the same during a turn of the event loop: who asks for each message pays for one look. */
export function turnMs(): number {
  if (now === undefined) {
    now = Math.floor(performance.now());
    setImmediate(forget);
  }
  return now;
}
