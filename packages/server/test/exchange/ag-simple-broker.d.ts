/** The published broker comes without types. */
declare module 'ag-simple-broker' {
  import type { BrokerEngine } from '@socketcluster-ts/server';

  const PublishedBroker: new () => BrokerEngine;
  export default PublishedBroker;
}
