import { partitionedRows } from '../engine-rows/partitioned.js';
import { REDIS } from '../engines.js';

partitionedRows(REDIS);
