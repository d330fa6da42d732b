import { unreachableRows } from '../engine-rows/unreachable.js';
import { NATS } from '../engines.js';

unreachableRows(NATS);
