import * as ourServer from '@socketcluster-ts/server';
import { AGAction } from '@socketcluster-ts/server/action';
import { freePort } from '@socketcluster-ts/testkit';
import { runSuite } from './run-suite.js';

// With the published client and the published broker, which the suite asks for.
runSuite(
  'socketcluster-server/test/integration.js',
  { '../': ourServer, '../action': AGAction },
  { port: await freePort() },
);
