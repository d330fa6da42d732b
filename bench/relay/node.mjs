/** A node of ours, as built, with default options: `--link={"kind":"redis","url":…}`, or no link at all. */
import { createServer } from 'node:http';
import { natsLink } from '@socketcluster-ts/nats';
import { redisLink } from '@socketcluster-ts/redis';
import { AGSimpleBroker, attach, relayBroker } from '@socketcluster-ts/server';
import { hubLink } from '@socketcluster-ts/server/workers';
import { serveControl } from '../servers/control.mjs';

const LINKS = {
  hub: ({ path }) => hubLink(path),
  redis: ({ url }) => redisLink({ url }),
  'redis-cluster': ({ ports }) =>
    redisLink({ cluster: { nodes: ports.map((port) => ({ host: '127.0.0.1', port })) } }),
  nats: ({ port }) => natsLink({ servers: `nats://127.0.0.1:${port}` }),
};

const given = process.argv.find((argument) => argument.startsWith('--link='));
const link = given === undefined ? undefined : JSON.parse(given.slice('--link='.length));
const brokerEngine =
  link === undefined ? undefined : relayBroker(new AGSimpleBroker(), LINKS[link.kind](link));

const httpServer = createServer();
const server = attach(httpServer, {
  authKey: 'a secret of 32 bytes or more that only the benchmark uses',
  ...(brokerEngine === undefined ? {} : { brokerEngine }),
});
if (!server.isReady) await server.listener('ready').once();
httpServer.listen(0, '127.0.0.1', () => serveControl(httpServer.address().port));
