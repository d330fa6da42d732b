/**
 * What a scenario knows of the run it is part of.
 * @typedef {object} Run
 * @property {number} port where the server listens
 * @property {number} pid its process
 * @property {import('./dialects/dialect.mjs').Dialect} dialect what it speaks
 * @property {import('./faults.mjs').Faults} faults
 * @property {(question: 'begin' | 'end' | 'collect') => Promise<any>} ask asks the server process
 * @property {any} parameters of the scenario
 */
import { churn } from './scenarios/churn.mjs';
import { connections } from './scenarios/connections.mjs';
import { fanOut } from './scenarios/fan-out.mjs';
import { idle } from './scenarios/idle.mjs';
import { relay } from './scenarios/relay.mjs';
import { rpc } from './scenarios/rpc.mjs';
import { stoppedReaders } from './scenarios/stopped-readers.mjs';

/** @type {Record<string, (run: Run) => Promise<object | undefined>>} */
export const scenarios = {
  'fan-out': fanOut,
  rpc,
  connections,
  idle,
  churn,
  'stopped-readers': stoppedReaders,
  relay,
};
