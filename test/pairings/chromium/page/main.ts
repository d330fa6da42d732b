/** The program of the page: makes clients, and records what they tell. Bundled by `client-page.ts`. */
import { create } from 'client-under-test';

const EVENTS = [
  'connect',
  'connectAbort',
  'disconnect',
  'error',
  'subscribe',
  'subscribeFail',
  'unsubscribe',
  'kickOut',
  'authenticate',
  'deauthenticate',
  'removeAuthToken',
  'raw',
  'message',
];

function plain(value: unknown): unknown {
  if (value instanceof Error) return Object.assign({}, value, { name: value.name, message: value.message });
  if (value instanceof ArrayBuffer) return { bytes: [...new Uint8Array(value)] };
  if (typeof value === 'function') return '[function]';
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

async function record(event: string): Promise<void> {
  for await (const details of window.client.listener(event)) {
    window.seen.push({ event, details: plain(details) as Record<string, unknown> });
  }
}

window.seen = [];
window.collected = {};
window.collect = (name, stream) => {
  const values = (window.collected[name] ??= []);
  void (async () => {
    for await (const value of stream) values.push(value);
  })();
};
window.outcome = (promise) =>
  promise.then(
    (result) => ({ result }),
    (error: unknown) => ({ error: plain(error) as Record<string, unknown> }),
  );
window.connectClient = (options = {}) => {
  window.client = create({
    autoReconnectOptions: { initialDelay: 20, randomness: 10, multiplier: 1, maxDelay: 50 },
    ...options,
  });
  for (const event of EVENTS) void record(event);
};
window.isReady = true;
