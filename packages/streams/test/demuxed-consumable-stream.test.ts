import { ConsumableStream, DemuxedConsumableStream, StreamDemux } from '@socketcluster-ts/streams';
import { describe, expect, it } from 'vitest';

describe('DemuxedConsumableStream', () => {
  it('is the read side of one name', async () => {
    const demux = new StreamDemux<number>();
    const stream = demux.stream('name');
    expect(stream).toBeInstanceOf(DemuxedConsumableStream);
    expect(stream).toBeInstanceOf(ConsumableStream);
    expect(stream.name).toBe('name');
    const consumer = stream.createConsumer(50);
    const [next, once] = [stream.next(), stream.once()];
    expect(demux.getConsumerStatsList('name').map(({ id, timeout }) => [id, timeout])).toEqual([
      [1, 50],
      [2, undefined],
      [3, undefined],
    ]);
    demux.write('name', 7);
    expect(await consumer.next()).toEqual({ value: 7, done: false });
    expect(await next).toEqual({ value: 7, done: false });
    expect(await once).toBe(7);
    expect(demux.getConsumerCount('name')).toBe(1);
  });

  it('buffers nothing while it is only held', async () => {
    const demux = new StreamDemux<number>();
    const stream = demux.stream('name');
    demux.write('name', 1);
    const next = stream.next();
    demux.write('name', 2);
    expect(await next).toEqual({ value: 2, done: false });
    expect(demux.hasStream('name')).toBe(false);
  });
});
