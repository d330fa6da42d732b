/** The published client comes without types. The tests use of it what ours has under the same names. */
declare module 'socketcluster-client' {
  import type * as ours from '@socketcluster-ts/client';

  const published: Pick<typeof ours, 'create' | 'version'>;
  export default published;
}
