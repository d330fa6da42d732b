import * as ourClient from '@socketcluster-ts/client';
import * as ourServer from '@socketcluster-ts/server';
import { AGAction } from '@socketcluster-ts/server/action';
import { freePort } from '@socketcluster-ts/testkit';
import { CLIENT_LEFT_OUT } from './client-left-out.js';
import { runSuite } from './run-suite.js';

runSuite(
  'socketcluster-client/test/integration.js',
  { '../': ourClient, 'socketcluster-server': ourServer, 'socketcluster-server/action': AGAction },
  { port: await freePort(), leftOut: CLIENT_LEFT_OUT },
);
