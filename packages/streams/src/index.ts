/**
 * Async-iterable streams: one writer, any number of `for await` loops, and a backpressure that can be read.
 *
 * `WritableConsumableStream` is one stream, `StreamDemux` many by name, `AsyncStreamEmitter` an event emitter whose
 * listeners are loops. Writing is synchronous and cheap; what a loop has not read yet waits for it, and how much that
 * is can be asked for at any time.
 *
 * @example
 * ```ts
 * import { WritableConsumableStream } from '@socketcluster-ts/streams';
 *
 * const stream = new WritableConsumableStream<number>();
 * const sum = (async () => {
 *   let total = 0;
 *   for await (const value of stream) total += value;
 *   return total;
 * })();
 * stream.write(1);
 * stream.write(2);
 * stream.close();
 * console.log(await sum);
 * ```
 *
 * @module
 */
export {
  AsyncStreamEmitter,
  type EmitArguments,
  type EventName,
  type EventPayload,
  type ListenerMethods,
} from './async-stream-emitter.js';
export { ConsumableStream } from './consumable-stream.js';
export type { ConsumerProgress } from './consumer-registry.js';
export { type ConsumerSource, DemuxedConsumableStream } from './demuxed-consumable-stream.js';
export type { EachErrorHandler, EachHandler, EachOptions } from './each.js';
export { addFamilyMethods, familyMethodName, MANAGING_METHODS } from './family-methods.js';
export {
  type ConsumerStats,
  type ConsumerStream,
  StreamConsumer,
  type StreamConsumerOptions,
} from './stream-consumer.js';
export {
  type NamedConsumerStats,
  StreamDemux,
  type StreamDemuxOptions,
  type StreamManager,
} from './stream-demux.js';
export type { NodeMark, StreamNode, StreamQueue, Waiter } from './stream-queue.js';
export { TimeoutError } from './timeout-error.js';
export {
  WritableConsumableStream,
  type WritableConsumableStreamOptions,
} from './writable-consumable-stream.js';
