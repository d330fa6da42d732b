/**
 * What the types of AsyncStreamEmitter allow and refuse. Compiled with the tests, never run.
 */
import {
  AsyncStreamEmitter,
  type DemuxedConsumableStream,
  type EventName,
  type EventPayload,
  type NamedConsumerStats,
} from '@socketcluster-ts/streams';
import { expectTypeOf } from 'vitest';

interface DoorEvents {
  open: { by: string };
  locked: undefined;
  knock: number | undefined;
}

class Door extends AsyncStreamEmitter<DoorEvents> {
  knock(times: number): void {
    this.emit('knock', times);
  }
}

export async function typed(door: Door, name: string): Promise<void> {
  expectTypeOf<EventPayload<DoorEvents, 'open'>>().toEqualTypeOf<{ by: string }>();
  expectTypeOf<EventPayload<DoorEvents, 'other'>>().toEqualTypeOf<unknown>();

  door.emit('open', { by: 'Ada' });
  door.emit('locked');
  door.emit('locked', undefined);
  door.emit('knock');
  door.emit('knock', 3);
  door.emit('custom');
  door.emit('custom', { anything: true });
  door.emit(name, 1);

  // @ts-expect-error: a payload that cannot be undefined must be given
  door.emit('open');
  // @ts-expect-error: the payload of a known event is checked
  door.emit('open', { by: 1 });
  // @ts-expect-error: the payload of a known event is checked
  door.emit('locked', 1);
  // @ts-expect-error: one payload only
  door.emit('custom', 1, 2);
  // @ts-expect-error: an event name is a string
  door.emit(1);

  const listener = door.listener('open');
  expectTypeOf<typeof listener>().toEqualTypeOf<DemuxedConsumableStream<{ by: string }>>();
  for await (const event of listener) {
    expectTypeOf<typeof event>().toEqualTypeOf<{ by: string }>();
  }
  for await (const event of listener.createConsumer()) {
    expectTypeOf<typeof event>().toEqualTypeOf<{ by: string }>();
  }
  const once = await listener.once();
  expectTypeOf<typeof once>().toEqualTypeOf<{ by: string }>();
  const result = await listener.next();
  if (result.done !== true) expectTypeOf<typeof result.value>().toEqualTypeOf<{ by: string }>();
  else expectTypeOf<typeof result.value>().toEqualTypeOf<unknown>();
  const custom = await door.listener('custom').once();
  expectTypeOf<typeof custom>().toEqualTypeOf<unknown>();
  const dynamic = await door.listener(name).once();
  expectTypeOf<typeof dynamic>().toEqualTypeOf<unknown>();
  // @ts-expect-error: the payload of a custom event is unknown until it is checked
  void custom.anything;

  // Known names are part of the parameter type as literals, which is what makes editors offer them.
  expectTypeOf<Extract<EventName<DoorEvents>, 'open'>>().toEqualTypeOf<'open'>();
  door.closeListener('open');
  door.killListener('custom');
  const stats: NamedConsumerStats[] = door.getListenerConsumerStatsList('open');
  void stats;
}

export async function untyped(): Promise<void> {
  const emitter = new AsyncStreamEmitter();
  emitter.emit('anything');
  emitter.emit('anything', { at: 'all' });
  for await (const event of emitter.listener('anything')) {
    expectTypeOf<typeof event>().toEqualTypeOf<unknown>();
  }
}

/** Any emitter can be given where one without a map is wanted. */
export function general(door: Door): AsyncStreamEmitter {
  return door;
}

/** A class of one's own may extend the events of its base. */
class Gate<Events extends object = {}> extends AsyncStreamEmitter<DoorEvents & Events> {}

export function extended(gate: Gate<{ raised: boolean }>): void {
  gate.emit('raised', true);
  gate.emit('open', { by: 'Ada' });
  // @ts-expect-error: the payload of an added event is checked
  gate.emit('raised', 'yes');
}
