'use strict';

const http = require('node:http');
const middleware = require('./middleware.cjs');

/** Every event of the server, and which of its fields this application writes down. */
const SERVER_EVENTS = {
  error: ['error'],
  warning: ['warning'],
  ready: [],
  handshake: ['socket'],
  connection: ['socket', 'id', 'pingTimeout', 'isAuthenticated', 'authError'],
  connectionAbort: ['socket', 'code', 'reason'],
  disconnection: ['socket', 'code', 'reason'],
  closure: ['socket', 'code', 'reason'],
  subscription: ['socket', 'channel', 'subscriptionOptions'],
  unsubscription: ['socket', 'channel'],
  authentication: ['socket', 'authToken'],
  deauthentication: ['socket', 'oldAuthToken'],
  authenticationStateChange: ['socket', 'oldAuthState', 'newAuthState', 'authToken'],
  badSocketAuthToken: ['socket', 'authError', 'signedAuthToken'],
};

/** The same for every event of a socket. */
const SOCKET_EVENTS = {
  error: ['error'],
  connect: ['id', 'pingTimeout', 'isAuthenticated', 'authError'],
  connectAbort: ['code', 'reason'],
  disconnect: ['code', 'reason'],
  close: ['code', 'reason'],
  subscribe: ['channel', 'subscriptionOptions'],
  unsubscribe: ['channel'],
  badAuthToken: ['authError', 'signedAuthToken'],
  authenticate: ['authToken'],
  deauthenticate: ['oldAuthToken'],
  authStateChange: ['oldAuthState', 'newAuthState', 'authToken'],
  authTokenSigned: ['signedAuthToken'],
  raw: ['message'],
};

function nameOf(socket) {
  return new URL(socket.request.url, 'http://localhost').searchParams.get('name') ?? 'nobody';
}

function pick(details, fields) {
  return Object.fromEntries(fields.map((field) => [field, details[field]]));
}

/** What is worth writing down of an event: errors as name and text, sockets as the name of their user. */
function digest(value) {
  if (value instanceof Error) return Object.assign({}, value, { name: value.name, message: value.message });
  if (value === null || typeof value !== 'object') return value;
  if (value.request) return nameOf(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, digest(item)]));
}

async function answer(socket, name, procedure) {
  for await (const request of socket.procedure(name)) {
    try {
      request.end(await procedure(socket, request.data));
    } catch (error) {
      request.error(error);
    }
  }
}

async function receive(socket, name, receiver) {
  for await (const data of socket.receiver(name)) receiver(data);
}

/**
 * Starts the chat server and returns its http server and its AGServer.
 * `note(kind, details)` is called for everything that happens.
 */
function startChat(socketClusterServer, AGAction, { port, authKey, note }) {
  const httpServer = http.createServer((request, response) => response.end('chat-classic\n'));
  const agServer = socketClusterServer.attach(httpServer, {
    authKey,
    authDefaultExpiry: 3600,
    pingInterval: 500,
    pingTimeout: 15_000,
    socketChannelLimit: 5,
    ackTimeout: 2000,
  });

  agServer.setMiddleware(agServer.MIDDLEWARE_HANDSHAKE, middleware.handshake);
  agServer.setMiddleware(agServer.MIDDLEWARE_INBOUND_RAW, middleware.inboundRaw);
  agServer.setMiddleware(agServer.MIDDLEWARE_INBOUND, middleware.createInbound(AGAction));
  agServer.setMiddleware(agServer.MIDDLEWARE_OUTBOUND, middleware.outbound);

  const history = [];

  function socketsOf(name) {
    return Object.values(agServer.clients).filter((socket) => nameOf(socket) === name);
  }

  const procedures = {
    async login(socket, { name, password, expiresIn }) {
      if (password !== 'secret') throw Object.assign(new Error('Wrong password'), { name: 'LoginError' });
      await socket.setAuthToken({ name, admin: name === 'ada' }, expiresIn ? { expiresIn } : {});
      return `Welcome, ${name}`;
    },
    async logout(socket) {
      await socket.deauthenticate();
    },
    whoami(socket) {
      return socket.authToken && { name: socket.authToken.name, admin: socket.authToken.admin };
    },
    sum(socket, numbers) {
      return numbers.reduce((total, number) => total + number, 0);
    },
    rooms(socket) {
      return socket.subscriptions();
    },
    history() {
      return history;
    },
    async kick(socket, { name, room, reason }) {
      if (!socket.authToken?.admin) throw Object.assign(new Error('Admins only'), { name: 'NotStaffError' });
      await Promise.all(socketsOf(name).map((target) => target.kickOut(room, reason)));
    },
    async ask(socket, question) {
      return `You said: ${await socket.invoke('question', question)}`;
    },
    disconnectMe(socket, { code, reason }) {
      setTimeout(() => socket.disconnect(code, reason), 0);
    },
  };

  function serve(socket) {
    for (const [name, procedure] of Object.entries(procedures)) void answer(socket, name, procedure);
    void receive(socket, 'mood', (mood) => {
      note('receiver mood', { socket, mood });
      void agServer.exchange.transmitPublish('moods', { from: nameOf(socket), mood });
    });
    void receive(socket, 'noise', (noise) => note('receiver noise', { socket, noise }));
    void receive(socket, 'mark', (mark) => note('mark', { mark }));
    void receive(socket, 'ignore', (name) => {
      socket.ignored = new Set([name]);
      socket.transmit('ignoring', [...socket.ignored]);
    });
    void receive(socket, 'loud', (likesItLoud) => {
      socket.likesItLoud = likesItLoud;
      socket.transmit('loudness', likesItLoud);
    });
  }

  async function watchSocket(socket, event, fields) {
    for await (const details of socket.listener(event)) {
      note(`socket ${event}`, { socket, ...pick(details, fields) });
    }
  }

  async function watchServer(event, fields) {
    for await (const details of agServer.listener(event)) {
      note(`server ${event}`, pick(details, fields));
      if (event === 'handshake') {
        for (const [name, wanted] of Object.entries(SOCKET_EVENTS))
          void watchSocket(details.socket, name, wanted);
      }
      if (event === 'connection') {
        note('class', {
          socket: details.socket,
          isSocket: details.socket instanceof socketClusterServer.AGServerSocket,
          isServer: agServer instanceof socketClusterServer.AGServer,
          state: details.socket.state,
          remoteFamily: details.socket.remoteFamily,
          clients: agServer.clientsCount,
        });
        serve(details.socket);
        void agServer.exchange.transmitPublish('presence', { name: nameOf(details.socket), here: true });
      }
      if (event === 'closure') {
        void agServer.exchange.transmitPublish('presence', { name: nameOf(details.socket), here: false });
      }
    }
  }

  async function keepHistory() {
    for await (const message of agServer.exchange.subscribe('lobby')) {
      history.push(message);
      note('exchange lobby', message);
    }
  }

  for (const [event, fields] of Object.entries(SERVER_EVENTS)) void watchServer(event, fields);
  void keepHistory();
  httpServer.listen(port, '127.0.0.1');

  return { httpServer, agServer };
}

module.exports = { startChat, digest };
