/** The small protocol of the servers that have none of their own: `ws`, the Node limit, Bun. */

export const path = '/';

/** What a client says once its WebSocket is open. @param {string | null} token */
export function greeting(token) {
  return JSON.stringify({ op: 'hello', token });
}

export function subscribe(channel, id) {
  return JSON.stringify({ op: 'subscribe', channel, id });
}

export function publish(channel, data) {
  return JSON.stringify({ op: 'publish', channel, data });
}

export function call(id, data) {
  return JSON.stringify({ op: 'call', id, data });
}

/**
 * What a message of the server means.
 * @param {string} text
 * @returns {import('./dialect.mjs').Meaning}
 */
export function read(text) {
  const message = JSON.parse(text);
  switch (message.op) {
    case 'welcome':
      return { kind: 'welcome', isAuthenticated: message.isAuthenticated };
    case 'message':
      return { kind: 'delivery', channel: message.channel, data: message.data };
    case 'done':
    case 'reply':
      return { kind: 'answer', id: message.id, data: message.data };
    default:
      return { kind: 'unknown' };
  }
}
