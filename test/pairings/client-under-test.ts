import type * as clientPackage from '@socketcluster-ts/client';

/** What both client packages export. */
export type ClientModule = Pick<typeof clientPackage, 'create' | 'version'>;

/**
 * Whether the clients of the tests are those of the published `socketcluster-client`: `CLIENT_UNDER_TEST=upstream`.
 *
 * Otherwise they are ours. The server is chosen by itself, see `isOracleMode`.
 */
export const isPublishedClient: boolean = process.env['CLIENT_UNDER_TEST'] === 'upstream';

/** The client package under test: ours, or the published one under the same names. */
export const clientModule: ClientModule = isPublishedClient
  ? (await import('socketcluster-client')).default
  : await import('@socketcluster-ts/client');
