/** What is done in each measurement. Times are milliseconds. */

const RELAY = { rooms: 20, bytes: 100, outstanding: 64, warmUpMs: 1000, measureMs: 1200, stallMs: 5000 };
const SMOKE = { rooms: 4, warmUpMs: 60, measureMs: 100 };

const full = {
  /** Each message on its own. */
  rate: { ...RELAY, perSecond: 1000 },
  /** As fast as messages arrive: many in each turn of the event loop. */
  burst: RELAY,
  /** On each node a publisher, whose rooms are on the next node. */
  rooms: { ...RELAY, rooms: 10, perSecond: 100, warmUpMs: 200, measureMs: 500 },
  calls: { connections: 50, outstanding: 8, warmUpMs: 1000, measureMs: 1500, stallMs: 5000 },
};

/** By the kind of run. */
export const LOADS = {
  full,
  smoke: Object.fromEntries(Object.entries(full).map(([name, load]) => [name, { ...load, ...SMOKE }])),
};

/** How many nodes there are when the bytes to one of them are counted. */
export const NODE_COUNTS = [2, 4];

/** How many workers `serve()` has. */
export const WORKER_COUNTS = [1, 2];
