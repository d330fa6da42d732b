/**
 * Runs in an application that has installed the packed packages: `import` and `require` must give the same objects, and the packed server must
 * serve.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

for (const name of ['@socketcluster-ts/streams', '@socketcluster-ts/core']) {
  const imported = await import(name);
  const required = require(name);
  assert.ok(Object.keys(imported).length > 0, `${name} exports nothing`);
  for (const [key, value] of Object.entries(imported)) {
    assert.equal(required[key], value, `${name}: require and import differ in ${key}`);
  }
}

const imported = await import('@socketcluster-ts/server');
const required = require('@socketcluster-ts/server');
assert.equal(required, imported.default, 'require() of the server is not its default object');
for (const [key, value] of Object.entries(required)) {
  assert.equal(imported[key], value, `the server: require and import differ in ${key}`);
}
for (const key of [
  'attach',
  'listen',
  'AGServer',
  'AGServerSocket',
  'AGRequest',
  'AGAction',
  'AGExchange',
  'AGSimpleBroker',
]) {
  assert.equal(typeof required[key], 'function', `${key} is missing in require() of the server`);
}

const client = await import('@socketcluster-ts/client');
const requiredClient = require('@socketcluster-ts/client');
assert.equal(requiredClient, client.default, 'require() of the client is not its default object');
for (const key of ['create', 'AGClientSocket', 'factory', 'version']) {
  assert.equal(client[key], requiredClient[key], `the client: require and import differ in ${key}`);
}

const hooks = await import('@socketcluster-ts/client/react');
for (const key of ['useSocket', 'useSocketState', 'useChannel', 'useProcedure']) {
  assert.equal(typeof hooks[key], 'function', `${key} is missing in the hooks`);
  assert.equal(
    require('@socketcluster-ts/client/react')[key],
    hooks[key],
    `the hooks: require and import differ in ${key}`,
  );
}

const required2 = require('@socketcluster-ts/server/action');
const importedAction = await import('@socketcluster-ts/server/action');
assert.equal(typeof required2, 'function', "require('…/action') is not a class");
assert.equal(required2, importedAction.default, "require('…/action') is not the default of import");
assert.equal(required2, imported.AGAction, "require('…/action') is not AGAction");
assert.ok(new required2() instanceof imported.AGAction, 'instanceof does not hold across import and require');
assert.equal(required2.PUBLISH_IN, 'publishIn');

const server = required.listen(0);
assert.ok(server instanceof imported.AGServer, 'instanceof does not hold across import and require');
assert.ok(
  server instanceof (await import('@socketcluster-ts/streams')).AsyncStreamEmitter,
  'two copies of streams',
);
await Promise.all([
  server.isReady ? undefined : server.listener('ready').once(5000),
  once(server.httpServer, 'listening'),
]);
const socket = requiredClient.create({ hostname: '127.0.0.1', port: server.httpServer.address().port });
assert.ok(socket instanceof client.AGClientSocket, 'instanceof does not hold for the client');
const messages = socket.subscribe('news');
const message = messages.once(5000);
await messages.listener('subscribe').once(5000);
await messages.invokePublish('hello');
assert.equal(await message, 'hello');
await socket.close();
await server.close();
server.httpServer.close();
