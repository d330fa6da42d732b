import { InvalidArgumentsError } from '@socketcluster-ts/core';
import type { UserAction } from './user-action.js';
import type { UserSockets } from './user-sockets.js';

/**
 * Does to the sockets of a user what another node asked for; gives their number.
 * @throws {InvalidArgumentsError} for an action that this node does not know
 */
export function performUserAction(user: UserSockets, action: UserAction): Promise<number> {
  switch (action.name) {
    case 'transmit':
      return user.transmit(action.event, action.data);
    case 'deauthenticate':
      return user.deauthenticate(action.options);
    case 'kickOut':
      return user.kickOut(action.channel, action.message);
    case 'recheckTokens':
      return user.recheckTokens();
    case 'disconnect':
      return user.disconnect(action.code, action.reason);
    default:
      throw new InvalidArgumentsError('This node does not know what was asked for a user');
  }
}
