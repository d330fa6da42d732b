import { unreachableRows } from '../engine-rows/unreachable.js';
import { REDIS } from '../engines.js';

unreachableRows(REDIS);
