/** socketcluster-server 20, with default options. */
import socketClusterServer from 'socketcluster-server';
import { serveSocketCluster } from '../servers/socket-cluster.mjs';

serveSocketCluster(socketClusterServer);
