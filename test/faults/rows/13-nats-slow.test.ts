import { slowRows } from '../engine-rows/slow.js';
import { NATS } from '../engines.js';

slowRows(NATS);
