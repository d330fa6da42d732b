// A server that loses one message in a hundred, for the tests of the harness.
export function serve(server) {
  let count = 0;
  server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
    for await (const action of stream) {
      count += 1;
      if (count % 100 === 0) action.block(new Error('Lost on purpose'));
      else action.allow();
    }
  });
}
