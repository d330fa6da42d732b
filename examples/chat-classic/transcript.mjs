/**
 * `node transcript.mjs server.cjs` starts that server, drives it through the published client and prints what
 * both sides saw. Ids, times and tokens are replaced and the lines of one step are sorted by kind, so that two
 * servers that behave alike print the same text.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import socketClusterClient from 'socketcluster-client';

const DEADLINE_MS = 10_000;
const CLIENT_EVENTS = [
  'connect',
  'connectAbort',
  'disconnect',
  'error',
  'subscribe',
  'subscribeFail',
  'subscribeStateChange',
  'unsubscribe',
  'kickOut',
  'authenticate',
  'deauthenticate',
  'authStateChange',
  'removeAuthToken',
];

const serverLines = [];
const clientLines = [];
const clients = new Map();
const waiting = new Set();

function withDeadline(promise, what) {
  let timer;
  const expired = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${DEADLINE_MS} ms for ${what}`)), DEADLINE_MS);
  });
  return Promise.race([promise, expired]).finally(() => clearTimeout(timer));
}

/** Resolves once a line that `matches` was written by either side in the current step. */
function seen(side, kind, matches = () => true) {
  const lines = side === 'server' ? serverLines : clientLines;
  const found = () => lines.some((line) => line.kind === kind && matches(line.details));
  if (found()) return Promise.resolve();
  return withDeadline(
    new Promise((resolve) => {
      const look = () => {
        if (!found()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
    }),
    `the ${side}'s '${kind}'`,
  );
}

function write(lines, line) {
  lines.push(line);
  for (const look of waiting) look();
}

function normalised(value, key) {
  if (typeof value === 'string' && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(value)) return '<token>';
  if (key === 'id' && typeof value === 'string') return '<id>';
  if ((key === 'iat' || key === 'exp') && typeof value === 'number') return '<time>';
  if (key === 'expiry' || key === 'date') return '<time>';
  if (value instanceof Error) {
    return normalised(Object.assign({}, value, { name: value.name, message: value.message }));
  }
  if (typeof value === 'string') return value.replaceAll(/(?<![\w-])[\w-]{16}AA[\w-]{2}(?![\w-])/g, '<id>');
  if (Array.isArray(value)) return value.map((item) => normalised(item));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(
    ([, item]) => typeof item !== 'function' && item !== undefined,
  );
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, normalised(item, name)]));
}

async function record(kind, stream, pick = (details) => details) {
  for await (const details of stream) write(clientLines, { kind, details: pick(details) });
}

function open(name, query = {}, options = {}) {
  const client = socketClusterClient.create({
    hostname: '127.0.0.1',
    port,
    query: { name, ...query },
    autoReconnect: false,
    ...options,
  });
  clients.set(name, client);
  for (const event of CLIENT_EVENTS) void record(`${name} ${event}`, client.listener(event));
  for (const event of ['ignoring', 'loudness'])
    void record(`${name} ${event}`, client.receiver(event), (data) => ({ data }));
  return client;
}

function enter(name, room, options) {
  const channel = clients.get(name).subscribe(room, options);
  void record(`${name} in ${room}`, channel, (message) => ({ message }));
  return channel;
}

async function outcome(kind, promise) {
  try {
    write(clientLines, { kind, details: { result: await promise } });
  } catch (error) {
    write(clientLines, { kind, details: { error } });
  }
}

function call(name, procedure, data) {
  return outcome(`${name} calls ${procedure}`, clients.get(name).invoke(procedure, data));
}

function print(lines) {
  lines.sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0));
  for (const { kind, details } of lines) console.log(`  ${kind} ${JSON.stringify(normalised(details))}`);
  lines.length = 0;
}

let steps = 0;

/** Runs one step; what the server wrote until it answered a last message of the watcher belongs to it. */
async function step(title, run) {
  steps += 1;
  await run();
  clients.get('watcher').transmit('mark', steps);
  await seen('server', 'mark', ({ mark }) => mark === steps);
  console.log(`${steps}. ${title}`);
  print(clientLines);
  print(serverLines.filter(({ kind }) => kind !== 'mark'));
  serverLines.length = 0;
}

const entry = process.argv[2] ?? 'server.cjs';
const server = spawn(process.execPath, [entry], {
  cwd: dirname(fileURLToPath(import.meta.url)),
  env: { ...process.env, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let isOver = false;
server.on('exit', (code) => {
  if (!isOver) throw new Error(`The server ended by itself, with code ${code}`);
});
process.on('exit', () => server.kill());
process.on('uncaughtException', (error) => {
  console.error(error);
  console.error('Seen in the step that failed:');
  for (const { kind, details } of [...clientLines, ...serverLines])
    console.error(`  ${kind}`, normalised(details));
  process.exit(1);
});
createInterface({ input: server.stdout }).on('line', (line) => write(serverLines, JSON.parse(line)));

await seen('server', 'listening');
const { port } = serverLines.find(({ kind }) => kind === 'listening').details;
for (const line of serverLines) if (line.kind === 'listening') line.details.port = '<port>';

await step('a watcher comes in', async () => {
  open('watcher');
  await seen('client', 'watcher connect');
  enter('watcher', 'presence');
  enter('watcher', 'moods');
  await seen('client', 'watcher subscribe', ({ channel }) => channel === 'moods');
});

await step('ada connects and is nobody yet', async () => {
  open('ada');
  await seen('client', 'ada connect');
  await seen('client', 'watcher in presence', ({ message }) => message.name === 'ada');
  await call('ada', 'whoami');
  await outcome('ada publishes', clients.get('ada').invokePublish('lobby', 'may I?'));
});

await step('ada logs in, at the second try', async () => {
  await call('ada', 'login', { name: 'ada', password: 'guess' });
  await call('ada', 'login', { name: 'ada', password: 'secret' });
  await seen('client', 'ada authenticate');
  await call('ada', 'whoami');
});

await step('bob connects, logs in and both enter the lobby', async () => {
  open('bob');
  await seen('client', 'bob connect');
  await seen('client', 'watcher in presence', ({ message }) => message.name === 'bob');
  await call('bob', 'login', { name: 'bob', password: 'secret' });
  await seen('client', 'bob authenticate');
  enter('ada', 'lobby');
  await seen('client', 'ada subscribe');
  enter('bob', 'lobby', { data: { colour: 'green' } });
  await seen('client', 'bob subscribe');
});

await step('they talk: middleware trims and signs what is said', async () => {
  await outcome('ada publishes', clients.get('ada').invokePublish('lobby', '  hello, bob '));
  await outcome('bob publishes', clients.get('bob').invokePublish('lobby', 'hello, ada'));
  await outcome('bob publishes an object', clients.get('bob').invokePublish('lobby', { fake: true }));
  await seen('client', 'ada in lobby', ({ message }) => message.text === 'hello, ada');
  await seen('client', 'bob in lobby', ({ message }) => message.text === 'hello, ada');
  await call('ada', 'history');
});

await step('ada likes it loud, bob ignores ada', async () => {
  clients.get('ada').transmit('loud', true);
  clients.get('bob').transmit('ignore', 'ada');
  await seen('client', 'ada loudness');
  await seen('client', 'bob ignoring');
  await outcome('ada publishes', clients.get('ada').invokePublish('lobby', 'can you hear me?'));
  await outcome('bob publishes', clients.get('bob').invokePublish('lobby', 'I hear nothing'));
  await seen('client', 'ada in lobby', ({ message }) => message.text === 'I HEAR NOTHING');
  await seen('client', 'bob in lobby', ({ message }) => message.text === 'I hear nothing');
});

await step('procedures and receivers, both ways', async () => {
  await call('ada', 'sum', [1, 2, 'three', 4]);
  void (async () => {
    for await (const request of clients.get('ada').procedure('question')) request.end(`${request.data} Yes!`);
  })();
  void (async () => {
    for await (const request of clients.get('bob').procedure('question')) {
      request.error(Object.assign(new Error('No comment'), { name: 'ShyError' }));
    }
  })();
  await call('ada', 'ask', 'Do you like tea?');
  await call('bob', 'ask', 'Do you like tea?');
  clients.get('bob').transmit('noise', 'LALALA');
  clients.get('bob').transmit('mood', 'content');
  await seen('client', 'watcher in moods');
  clients.get('bob').send('this is no packet');
  await call('bob', 'rooms');
});

await step('a frame that is too long is dropped', async () => {
  clients.get('ada').transmit('mood', 'x'.repeat(20_000));
  clients.get('ada').transmit('mood', 'still here');
  await seen('client', 'watcher in moods');
});

await step('the staff room and the limit of five rooms', async () => {
  enter('bob', 'staff/plans');
  await seen('client', 'bob subscribeFail');
  enter('ada', 'staff/plans');
  for (const room of ['one', 'two', 'three']) enter('ada', room);
  await seen('client', 'ada subscribe', ({ channel }) => channel === 'three');
  enter('ada', 'one too many');
  await seen('client', 'ada subscribeFail');
  clients.get('ada').unsubscribe('one');
  await seen('server', 'server unsubscription');
  await call('ada', 'rooms');
});

await step('ada kicks bob out of the lobby, who may not do the same', async () => {
  await call('bob', 'kick', { name: 'ada', room: 'lobby', reason: 'revenge' });
  await call('ada', 'kick', { name: 'bob', room: 'lobby', reason: 'too quiet' });
  await seen('client', 'bob kickOut');
  await seen('client', 'bob unsubscribe');
  await call('bob', 'rooms');
});

await step('tokens: reused, broken, locked and short-lived', async () => {
  const token = clients.get('ada').signedAuthToken;
  open('eve');
  await seen('client', 'eve connect');
  await outcome('eve authenticates', clients.get('eve').authenticate(`${token}x`));
  await seen('client', 'eve removeAuthToken');
  await call('eve', 'whoami');
  await outcome('eve authenticates', clients.get('eve').authenticate(token));
  await call('eve', 'whoami');
  await call('eve', 'login', { name: 'mallory', password: 'secret' });
  await seen('client', 'eve authenticate', ({ authToken }) => authToken.name === 'mallory');
  const locked = clients.get('eve').signedAuthToken;
  await outcome('eve deauthenticates', clients.get('eve').deauthenticate());
  await outcome('eve authenticates', clients.get('eve').authenticate(locked));
  await seen('client', 'eve removeAuthToken', ({ oldAuthToken }) => oldAuthToken === locked);
});

await step('a short session ends by itself', async () => {
  await call('bob', 'login', { name: 'bob', password: 'secret', expiresIn: 1 });
  await seen('client', 'bob deauthenticate');
  await call('bob', 'whoami');
});

await step('a token survives a new connection, logging out ends it', async () => {
  const token = clients.get('ada').signedAuthToken;
  const stored = new Map([['kept', token]]);
  const authEngine = {
    saveToken: async (name, value) => void stored.set(name, value),
    removeToken: async (name) => {
      const old = stored.get(name) ?? null;
      stored.delete(name);
      return old;
    },
    loadToken: async (name) => stored.get(name) ?? null,
  };
  open('ada-again', {}, { authEngine, authTokenName: 'kept' });
  await seen('client', 'ada-again connect');
  await seen('client', 'watcher in presence', ({ message }) => message.name === 'ada-again');
  await call('ada-again', 'whoami');
  await call('ada-again', 'logout');
  await seen('client', 'ada-again removeAuthToken');
  await call('ada-again', 'whoami');
});

await step('a connection that brings a broken token', async () => {
  const authEngine = {
    saveToken: async () => {},
    removeToken: async () => 'broken',
    loadToken: async () => 'broken',
  };
  open('trudy', {}, { authEngine });
  await seen('client', 'trudy connect');
  await seen('client', 'trudy removeAuthToken');
  await seen('client', 'watcher in presence', ({ message }) => message.name === 'trudy');
});

await step('who is not let in: a banned name, an old app, a wrong path', async () => {
  open('banned');
  await seen('client', 'banned connectAbort');
  open('oldie', { version: '1' });
  await seen('client', 'oldie connectAbort');
  await seen('client', 'watcher in presence', ({ message }) => message.name === 'oldie');
  open('lost', {}, { path: '/elsewhere/' });
  await seen('client', 'lost connectAbort');
});

await step("the http server is still the application's own", async () => {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  write(clientLines, { kind: 'GET /', details: { status: response.status, text: await response.text() } });
});

await step('they leave, each in their own way', async () => {
  const gone = (name) =>
    seen('client', 'watcher in presence', ({ message }) => message.name === name && !message.here);
  clients.get('ada').disconnect();
  await gone('ada');
  clients.get('bob').disconnect(4100, 'going home');
  await gone('bob');
  await call('eve', 'disconnectMe', { code: 4200, reason: 'come back later' });
  await seen('client', 'eve disconnect');
  await gone('eve');
  clients.get('trudy').transport.socket.terminate();
  await gone('trudy');
  await seen('server', 'socket unsubscribe', ({ socket }) => socket === 'bob' || socket === 'ada');
});

clients.get('watcher').disconnect();
clients.get('ada-again').disconnect();
isOver = true;
server.kill();
await once(server, 'exit');
console.log('done');
