/**
 * What the types of streams and consumers allow and refuse. Compiled with the tests, never run.
 */
import {
  type ConsumableStream,
  type ConsumerStats,
  type NamedConsumerStats,
  type StreamConsumer,
  StreamDemux,
  WritableConsumableStream,
} from '@socketcluster-ts/streams';
import { expectTypeOf } from 'vitest';

export async function writable(): Promise<void> {
  const stream = new WritableConsumableStream<number>({ generateConsumerId: () => 1 });
  stream.write(1);
  // @ts-expect-error: values have the type of the stream
  stream.write('1');
  stream.close('any end value');
  stream.kill({ any: 'end value' });
  for await (const value of stream) expectTypeOf<typeof value>().toEqualTypeOf<number>();
  const consumer = stream.createConsumer(10);
  expectTypeOf<typeof consumer>().toEqualTypeOf<StreamConsumer<number>>();
  const result = await consumer.next();
  if (result.done !== true) expectTypeOf<typeof result.value>().toEqualTypeOf<number>();
  else expectTypeOf<typeof result.value>().toEqualTypeOf<unknown>();
  // @ts-expect-error: the id of a consumer does not change
  consumer.id = 2;
  const stats: ConsumerStats | undefined = stream.getConsumerStats(1);
  void stats;
  const readSide: ConsumableStream<number> = stream;
  // @ts-expect-error: the read side cannot write
  readSide.write(1);
}

export async function demuxes(): Promise<void> {
  const typed = new StreamDemux<{ text: string }>();
  typed.write('name', { text: 'hello' });
  // @ts-expect-error: values have the type of the demux
  typed.write('name', 1);
  for await (const value of typed.stream('name'))
    expectTypeOf<typeof value>().toEqualTypeOf<{ text: string }>();
  const untyped = new StreamDemux();
  untyped.write('name', 1);
  const value = await untyped.stream('name').once();
  expectTypeOf<typeof value>().toEqualTypeOf<unknown>();
  const stats: NamedConsumerStats[] = untyped.getConsumerStatsListAll();
  void stats;
}
