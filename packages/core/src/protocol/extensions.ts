/** Additions to the protocol that a client may know; see `docs/protocol.md`. */
export type Extension = 'abort' | 'gap' | 'retry';

/** More names than there will ever be: what a peer lists beyond is not looked at. */
const MAX_OFFERED = 32;

/**
 * The extensions that both ends know, in the order of `known`; `undefined` when the peer says nothing about them, and
 * must be told nothing.
 */
export function agreeOnExtensions<E extends Extension>(
  offered: unknown,
  known: readonly E[],
): E[] | undefined {
  if (!Array.isArray(offered)) return undefined;
  const names: unknown[] = offered.slice(0, MAX_OFFERED);
  return known.filter((extension) => names.includes(extension));
}
