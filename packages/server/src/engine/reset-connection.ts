import type { Socket as NetSocket } from 'node:net';

/**
 * Ends a TCP connection by a reset: neither this process nor the kernel keeps what the peer has not taken. Others, such as
 * those over TLS, are destroyed. `unsentBytes` is what was written and has not left, for who writes past the stream's own count.
 */
export function resetConnection(net: NetSocket | undefined, unsentBytes?: number): void {
  if (net === undefined || net.destroyed) return;
  try {
    net.resetAndDestroy();
  } catch {
    net.destroy();
    return;
  }
  // It waits for writes under way, which may take for ever.
  if ((unsentBytes ?? net.writableLength) > 0) net.destroy();
}
