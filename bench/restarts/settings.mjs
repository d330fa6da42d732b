/**
 * How a server is drained: the clients are sent away over so many ms, and told to come back so many ms later. The balancer sends a
 * request that a server has refused to another one, so they need not wait until it has noticed.
 */
export const SPREAD_MS = 5000;
export const RETRY_DELAY_MS = 100;
