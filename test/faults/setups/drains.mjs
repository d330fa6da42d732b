// A server that ends in good order on SIGTERM.
export function serve(server, httpServer) {
  process.once('SIGTERM', () => void shutDown(server, httpServer));
}

async function shutDown(server, httpServer) {
  const { interrupted } = await server.drain({ timeout: 10_000, spread: 2000, retryDelay: 500 });
  await server.close();
  // The connection to the other nodes, where there are any.
  await server.brokerEngine.close?.();
  httpServer.close();
  httpServer.closeAllConnections();
  process.exitCode = interrupted;
  process.removeAllListeners('disconnect');
  process.disconnect();
}
