'use strict';

const socketClusterServer = require('socketcluster-server');
const AGAction = require('socketcluster-server/action');
const { startChat, digest } = require('./chat.cjs');

const { httpServer } = startChat(socketClusterServer, AGAction, {
  port: Number(process.env.PORT ?? 8000),
  authKey: process.env.AUTH_KEY ?? 'a secret that only this example may use',
  note: (kind, details) => console.log(JSON.stringify({ kind, details: digest(details) })),
});

httpServer.on('listening', () => {
  console.log(JSON.stringify({ kind: 'listening', details: { port: httpServer.address().port } }));
});
