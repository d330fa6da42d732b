/** The client library that this run is about; `bundle-page.ts` tells the bundler which one it is. */
declare module 'client-under-test' {
  export { create } from '@socketcluster-ts/client';
}
