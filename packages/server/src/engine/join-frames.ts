/** The frames that were joined last, and what became of them. */
let last: { readonly frames: readonly Buffer[]; readonly joined: Buffer } | undefined;

/**
 * The frames as one buffer of `bytes` bytes. Never written to: the same buffer is given again while the same frames
 * are asked for, as they are when several messages of a channel go to all its subscribers at the end of a turn. Then
 * they are copied once for all of them.
 */
export function joinFrames(frames: readonly Buffer[], bytes: number): Buffer {
  if (last !== undefined && areSame(last.frames, frames)) return last.joined;
  // Nothing is kept beyond the turn.
  if (last === undefined) setImmediate(forget);
  last = { frames, joined: Buffer.concat(frames, bytes) };
  return last.joined;
}

function areSame(some: readonly Buffer[], others: readonly Buffer[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at += 1) if (some[at] !== others[at]) return false;
  return true;
}

function forget(): void {
  last = undefined;
}
