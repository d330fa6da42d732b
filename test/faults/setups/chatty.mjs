// A server that waits for each line of its log to be written, for the tests of the harness.
import { writeSync } from 'node:fs';

const LINE = `${'a message was published; '.repeat(40)}\n`;

export function serve(server) {
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) {
      writeSync(2, LINE);
      action.allow();
    }
  });
}
