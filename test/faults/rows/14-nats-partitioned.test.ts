import { partitionedRows } from '../engine-rows/partitioned.js';
import { NATS } from '../engines.js';

partitionedRows(NATS);
