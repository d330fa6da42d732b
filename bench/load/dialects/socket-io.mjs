/** The protocol of socket.io 4 (Engine.IO 4), over WebSockets only. */

export const path = '/socket.io/?EIO=4&transport=websocket';

/** The server speaks first, so there is nothing to say once the WebSocket is open. */
export function greeting() {
  return undefined;
}

export function subscribe(channel, id) {
  return `42${id}${JSON.stringify(['subscribe', channel])}`;
}

export function publish(channel, data) {
  return `42${JSON.stringify(['publish', channel, data])}`;
}

export function call(id, data) {
  return `42${id}${JSON.stringify(['call', data])}`;
}

/**
 * What a message of the server means.
 * @param {string} text
 * @returns {import('./dialect.mjs').Meaning}
 */
export function read(text) {
  if (text === '2') return { kind: 'ping', pong: '3' };
  if (text.startsWith('0')) {
    return { kind: 'open', reply: (token) => (token === null ? '40' : `40${JSON.stringify({ token })}`) };
  }
  if (text.startsWith('42')) {
    const [event, channel, data] = JSON.parse(text.slice(2));
    return event === 'message' ? { kind: 'delivery', channel, data } : { kind: 'unknown' };
  }
  if (text.startsWith('43')) {
    const bracket = text.indexOf('[');
    return { kind: 'answer', id: Number(text.slice(2, bracket)), data: JSON.parse(text.slice(bracket))[0] };
  }
  // A server that does not accept the token does not welcome the client.
  if (text.startsWith('40')) return { kind: 'welcome', isAuthenticated: undefined };
  if (text.startsWith('44')) return { kind: 'refusal', why: text };
  return { kind: 'unknown' };
}
