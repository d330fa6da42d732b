/**
 * What clients notice of restarts, ours and the published server beside it:
 *
 *     npm run restarts                               both measurements, 300 and 5,000 clients
 *     npm run restarts rolling -- --clients 1000     two servers behind HAProxy, restarted one after the other
 *     npm run restarts storm -- --clients 5000       one server, killed; everybody comes back at once
 *     npm run restarts storm -- --smoke              does it run? Ours only, 200 clients; nothing is written
 *     npm run restarts -- --charts                   draws docs/charts/restarts-*.svg from the last results
 *
 * Build before (`npx tsc -b`). Writes bench/results/restarts.json and the chart.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.mjs';
import { drawRestarts } from './draw-restarts.mjs';
import { measureRolling, PAIRS } from './rolling.mjs';
import { KILLED, measureStorm } from './storm.mjs';

const RESULT = fileURLToPath(new URL('../results/restarts.json', import.meta.url));
const MEASUREMENTS = {
  rolling: { measure: measureRolling, clients: 300, each: PAIRS },
  storm: { measure: measureStorm, clients: 5000, each: KILLED },
};

const SMOKE_CLIENTS = 200;

const { values, positionals } = parseArgs({
  options: { clients: { type: 'string' }, charts: { type: 'boolean' }, smoke: { type: 'boolean' } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !Object.hasOwn(MEASUREMENTS, name));
if (unknown !== undefined) {
  console.error(`Unknown: ${unknown}. There are: ${Object.keys(MEASUREMENTS).join(', ')}.`);
  process.exit(1);
}
if (values.clients !== undefined && !/^[1-9]\d{0,4}$/.test(values.clients)) {
  console.error(`--clients must be a number from 1 to 99999 - Got ${values.clients}`);
  process.exit(1);
}

const names = positionals.length > 0 ? positionals : Object.keys(MEASUREMENTS);
const result = existsSync(RESULT) ? JSON.parse(readFileSync(RESULT, 'utf8')) : {};
if (!values.charts) {
  for (const name of names) result[name] = await measureAll(name);
  if (!values.smoke) writeFileSync(RESULT, `${JSON.stringify(result, rounded, 1)}\n`);
}
if (!values.smoke) for (const file of drawRestarts(result)) console.log(file);
// The clients of both libraries have timers left.
process.exit();

async function measureAll(name) {
  const { measure, clients, each } = MEASUREMENTS[name];
  const count = Number(values.clients ?? (values.smoke ? SMOKE_CLIENTS : clients));
  const rows = [];
  for (const measured of values.smoke ? each.slice(0, 1) : each) {
    const row = await measure(measured, count);
    console.log(name, JSON.stringify(row, rounded));
    rows.push(row);
  }
  return { madeAt: new Date().toISOString(), machine: describeMachine(), rows };
}

/** Five digits are more than any figure deserves. */
function rounded(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
