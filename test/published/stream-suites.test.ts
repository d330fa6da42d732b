import {
  AsyncStreamEmitter,
  ConsumableStream,
  StreamDemux,
  WritableConsumableStream,
} from '@socketcluster-ts/streams';
import { runSuite } from './run-suite.js';

runSuite('consumable-stream/test/test.js', { '../index': ConsumableStream });
runSuite('writable-consumable-stream/test/test.js', { '../index': WritableConsumableStream });
runSuite('stream-demux/test/test.js', { '../index': StreamDemux });
runSuite('async-stream-emitter/test/test.js', { '../index': AsyncStreamEmitter });
