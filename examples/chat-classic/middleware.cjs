'use strict';

const MAX_FRAME_LENGTH = 10_000;

function failure(name, message, fields) {
  return Object.assign(new Error(message), { name }, fields);
}

/** Decides who may open a connection at all, and who may finish the handshake. */
async function handshake(stream) {
  for await (const action of stream) {
    const { searchParams } = new URL(action.request.url, 'http://localhost');
    if (action.type === action.HANDSHAKE_WS && searchParams.get('name') === 'banned') {
      action.block(failure('BannedError', 'This name is banned'));
    } else if (action.type === action.HANDSHAKE_SC && searchParams.get('version') === '1') {
      action.block(failure('OldVersionError', 'Please update the app', { statusCode: 4501 }));
    } else {
      action.allow();
    }
  }
}

/** Drops frames that no chat message is as long as. */
async function inboundRaw(stream) {
  for await (const action of stream) {
    if (action.data.length > MAX_FRAME_LENGTH) {
      action.block(failure('FrameTooLongError', `A frame of ${action.data.length} characters`));
    } else {
      action.allow();
    }
  }
}

function mayEnter(channel, authToken) {
  return !channel.startsWith('staff/') || authToken?.admin === true;
}

/** Checks what a connected user asks for; the constants come from the class of the action, as a sub-path import gives it. */
function createInbound(AGAction) {
  return async function inbound(stream) {
    for await (const action of stream) {
      const { type, socket, allow, block } = action;
      if (type === AGAction.AUTHENTICATE) {
        if (action.authToken.name === 'mallory') block(failure('BlacklistedError', 'This account is locked'));
        else allow();
      } else if (type === AGAction.SUBSCRIBE) {
        if (mayEnter(action.channel, socket.authToken)) allow();
        else
          block(
            failure('NotStaffError', `Only staff may enter ${action.channel}`, { channel: action.channel }),
          );
      } else if (type === AGAction.PUBLISH_IN) {
        if (!socket.authToken) block();
        else if (typeof action.data !== 'string')
          block(failure('SecretError', 'not for clients', { silent: true }));
        else allow({ data: { from: socket.authToken.name, text: action.data.trim() } });
      } else if (type === AGAction.INVOKE && action.procedure === 'sum') {
        allow({ data: action.data.filter(Number.isFinite) });
      } else if (type === AGAction.TRANSMIT && action.receiver === 'noise') {
        block(failure('NoiseError', 'Too loud'));
      } else {
        allow();
      }
    }
  };
}

/** Shapes what each user sees: nobody hears those whom they ignore, and some like it loud. */
async function outbound(stream) {
  for await (const action of stream) {
    if (action.data?.from && action.socket.ignored?.has(action.data.from)) {
      action.block(failure('IgnoredError', 'ignored', { silent: true }));
    } else if (action.socket.likesItLoud && typeof action.data?.text === 'string') {
      action.allow({ data: { ...action.data, text: action.data.text.toUpperCase() } });
    } else {
      action.allow({ options: { useCache: true } });
    }
  }
}

module.exports = { handshake, inboundRaw, createInbound, outbound };
