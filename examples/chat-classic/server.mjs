import socketClusterServer from 'socketcluster-server';
import AGAction from 'socketcluster-server/action.js';
import chat from './chat.cjs';

const { httpServer } = chat.startChat(socketClusterServer, AGAction, {
  port: Number(process.env.PORT ?? 8000),
  authKey: process.env.AUTH_KEY ?? 'a secret that only this example may use',
  note: (kind, details) => console.log(JSON.stringify({ kind, details: chat.digest(details) })),
});

httpServer.on('listening', () => {
  console.log(JSON.stringify({ kind: 'listening', details: { port: httpServer.address().port } }));
});
