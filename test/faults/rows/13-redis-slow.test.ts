import { slowRows } from '../engine-rows/slow.js';
import { REDIS } from '../engines.js';

slowRows(REDIS);
