// Middleware that fails as it is asked to: in the handshake by the query (`trouble=…`), later by the data of the event
// 'trouble'. 'hang' never settles, 'throw' throws, 'reject' rejects, 'block' is the proper way to say no.
export function serve(server) {
  server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
    for await (const action of stream) {
      if (action.type === action.HANDSHAKE_SC)
        await trouble(new URL(action.request.url, 'ws://host').searchParams.get('trouble'), action);
      else action.allow();
    }
  });
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream)
      await trouble(
        action.receiver === 'trouble' || action.procedure === 'trouble' ? action.data : null,
        action,
      );
  });
}

async function trouble(kind, action) {
  if (kind === 'hang') await new Promise(() => {});
  else if (kind === 'throw') throw new Error('The middleware throws');
  else if (kind === 'reject') await Promise.reject(new Error('The middleware rejects'));
  else if (kind === 'block') action.block(new Error('The middleware blocks'));
  else action.allow();
}
