const PRIVATE = 'it writes to private fields of a channel or a transport';

/** What of the suite of the published client cannot hold for ours. */
export const CLIENT_LEFT_OUT: Readonly<Record<string, string>> = {
  'Should disconnect if ping is not received before timeout': PRIVATE,
  'Should be able to check the listener backpressure for specific channels': PRIVATE,
  'Should be able to kill and close channels and backpressure should update accordingly': PRIVATE,
};
