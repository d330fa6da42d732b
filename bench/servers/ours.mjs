/** Ours, as built, with default options. */
import { attach } from '@socketcluster-ts/server';
import { serveSocketCluster } from './socket-cluster.mjs';

serveSocketCluster({ attach });
