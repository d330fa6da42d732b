import { expect, test } from 'vitest';
import { isReservedEvent, RESERVED_EVENTS } from '../../src/index.js';

test('`isReservedEvent()` knows the events of the protocol and no others', () => {
  for (const name of Object.values(RESERVED_EVENTS)) expect(isReservedEvent(name)).toBe(true);
  for (const name of ['', '#', '#disconnect', 'handshake', '#Handshake', '__proto__', 'constructor']) {
    expect(isReservedEvent(name)).toBe(false);
  }
});
