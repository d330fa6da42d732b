import * as ourClient from '@socketcluster-ts/client';
import { freePort } from '@socketcluster-ts/testkit';
import { CLIENT_LEFT_OUT } from './client-left-out.js';
import { runSuite } from './run-suite.js';

runSuite(
  'socketcluster-client/test/integration.js',
  { '../': ourClient },
  { port: await freePort(), leftOut: CLIENT_LEFT_OUT },
);
