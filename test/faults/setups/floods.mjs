// A server that has much to say: each subscribed channel whose name begins with flood/ gets messages of its own.
const EVERY_MS = 20;
const BYTES = 192 * 1024;

export function serve(server) {
  let n = 0;
  setInterval(() => {
    n += 1;
    const pad = String(n).padEnd(BYTES, 'x');
    for (const channel of server.brokerEngine.subscriptions()) {
      if (channel.startsWith('flood/')) void server.exchange.transmitPublish(channel, pad);
    }
  }, EVERY_MS);
}
