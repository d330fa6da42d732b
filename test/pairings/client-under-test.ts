import publishedClient from 'socketcluster-client';

/**
 * Whether the tests' clients are those of the published `socketcluster-client`: `CLIENT_UNDER_TEST=upstream`.
 *
 * Otherwise they are ours. The server is chosen by itself, see `isOracleMode`.
 */
export const isPublishedClient: boolean = process.env['CLIENT_UNDER_TEST'] === 'upstream';

/** Everything that the client package under test exports. */
export type ClientModule = typeof publishedClient;

/** The client package under test: ours, or the published one under the same names. */
export const clientModule: ClientModule = publishedClient;
