/** Where the processes of one machine meet, in a process of its own, as `serve()` has it: `--path=…` of its socket. */
import { openHub } from '@socketcluster-ts/server/workers';
import { serveControl } from '../servers/control.mjs';

const path = process.argv.find((argument) => argument.startsWith('--path='))?.slice('--path='.length);
await openHub(path);
serveControl(0);
