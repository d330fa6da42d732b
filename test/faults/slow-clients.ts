import { RawConnection } from '@socketcluster-ts/testkit';

/** Opens a connection that is subscribed to a channel. */
export async function openSubscriber(port: number, channel: string): Promise<RawConnection> {
  const connection = await RawConnection.upgrade(port);
  connection.send({ event: '#handshake', data: { authToken: null }, cid: 1 });
  connection.send({ event: '#subscribe', data: { channel }, cid: 2 });
  await connection.frame(({ payload }) => payload.includes('"rid":2'));
  return connection;
}

/** Opens connections that are subscribed to a channel each, and never read again. */
export async function openNeverReading(port: number, channels: readonly string[]): Promise<RawConnection[]> {
  const connections = await Promise.all(channels.map((channel) => openSubscriber(port, channel)));
  for (const connection of connections) connection.pause();
  return connections;
}

/** Asks again and again as long as `isOn()`, and gives how late 99 of 100 answers were at most, in ms. */
export async function latencyOf(ask: () => Promise<unknown>, isOn: () => boolean): Promise<number> {
  const took: number[] = [];
  while (isOn() || took.length < 100) {
    const before = performance.now();
    await ask();
    took.push(performance.now() - before);
  }
  took.sort((a, b) => a - b);
  return took[Math.floor(took.length * 0.99)] ?? 0;
}
