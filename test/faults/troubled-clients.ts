import { type AGClientSocket, type ClientOptions, create } from '@socketcluster-ts/client';
import { afterTest, nextValue, withDeadline } from '@socketcluster-ts/testkit';

/** How a middleware can fail; 'block' is the proper way to say no. */
export type Trouble = 'hang' | 'throw' | 'reject' | 'block';

const ACK_TIMEOUT_MS = 1500;
const DEADLINE_MS = 15_000;

/** A client whose handshake runs into trouble; resolves with the code by which it was refused. */
export async function refusedHandshake(port: number, trouble: Trouble): Promise<number> {
  const client = createClient(port, { query: { trouble } });
  const { code } = await withDeadline(
    client.listener('connectAbort').once(),
    `a handshake with '${trouble}' to be refused`,
    DEADLINE_MS,
  );
  return code;
}

/** A connected client whose call runs into trouble; resolves with the name of the error, and leaves. */
export async function failedCall(port: number, trouble: Trouble): Promise<string> {
  const client = createClient(port, { ackTimeout: ACK_TIMEOUT_MS });
  await nextValue(client.listener('connect'), DEADLINE_MS);
  try {
    await client.invoke('trouble', trouble);
    return 'answered';
  } catch (error) {
    return (error as Error).name;
  } finally {
    client.disconnect();
  }
}

function createClient(port: number, options: ClientOptions): AGClientSocket {
  const client = create({
    hostname: '127.0.0.1',
    port,
    autoReconnect: false,
    ...options,
  });
  afterTest(() => {
    client.disconnect();
    client.killAllListeners();
  });
  return client;
}
