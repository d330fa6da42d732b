/** The protocol of SocketCluster, version 2. */

export const path = '/socketcluster/';

const HANDSHAKE = 1;

/** What a client says once its WebSocket is open. @param {string | null} token */
export function greeting(token) {
  return JSON.stringify({ event: '#handshake', data: { authToken: token }, cid: HANDSHAKE });
}

export function subscribe(channel, id) {
  return JSON.stringify({ event: '#subscribe', data: { channel }, cid: id });
}

export function publish(channel, data) {
  return JSON.stringify({ event: '#publish', data: { channel, data } });
}

export function call(id, data) {
  return JSON.stringify({ event: 'call', data, cid: id });
}

/**
 * What a message of the server means.
 * @param {string} text
 * @returns {import('./dialect.mjs').Meaning}
 */
export function read(text) {
  if (text === '') return { kind: 'ping', pong: '' };
  const packet = JSON.parse(text);
  if (packet.event === '#publish') {
    return { kind: 'delivery', channel: packet.data.channel, data: packet.data.data };
  }
  if (packet.error !== undefined) return { kind: 'refusal', why: JSON.stringify(packet.error) };
  if (packet.rid === HANDSHAKE) return { kind: 'welcome', isAuthenticated: packet.data.isAuthenticated };
  if (typeof packet.rid === 'number') return { kind: 'answer', id: packet.rid, data: packet.data };
  return { kind: 'unknown' };
}
