/** The client library that this run is about; `client-page.ts` tells the bundler which one it is. */
declare module 'client-under-test' {
  import type { AGClientSocket, ClientOptions } from 'socketcluster-client';
  export function create(options?: ClientOptions): AGClientSocket;
}
