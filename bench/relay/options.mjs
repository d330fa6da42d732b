import { parseArgs } from 'node:util';
import { UsageError } from '../options.mjs';
import { LOADS } from './loads.mjs';
import { setups } from './setups.mjs';

const ROUNDS = 3;
const shownSetups = setups.filter(({ isHidden }) => isHidden !== true);

export const HELP = `npm run bench:relay -- [options]

Measures what it costs that a message published on one node is delivered on another, through each engine, beside one node alone and beside
socket.io with its Redis adapter: processor time of both nodes and of the engine, latency, the bytes that a node gets when there are twice as
many nodes, and what two workers of serve() do. Needs redis-server and nats-server. Writes bench/results/relay.json, the chart and the tables of
docs/scaling.md.

  --smoke           ours only, each for a moment: shows that it runs; its figures mean nothing, and nothing is written
  --setup <a,b>     only these, and what they are compared with; nothing is written
  --rounds <n>      how often each is run (3; with --smoke 1)
  --no-build        takes the packages as they were built last
  --charts          draws and documents the last result; runs nothing
  --help            this text
`;

/**
 * Reads the command line.
 * @param {string[]} commandLine
 * @throws {UsageError} that names what is allowed
 */
export function readOptions(commandLine) {
  const values = parse(commandLine);
  if (values.rounds !== undefined && !/^[1-9]\d?$/.test(values.rounds))
    throw new UsageError(`--rounds takes a whole number from 1 to 99, got "${String(values.rounds)}".`);
  const wanted = values.setup?.split(',');
  const unknown = wanted?.find((name) => setups.every((setup) => setup.name !== name));
  if (unknown !== undefined)
    throw new UsageError(
      `There is no setup "${unknown}".\nThere are ${shownSetups.map(({ name }) => name).join(', ')}.`,
    );
  const compared = setups.filter(({ name }) => wanted?.includes(name)).flatMap(({ alone }) => alone ?? []);
  const isChosen = ({ name, needsPeers, isHidden }) => {
    if (wanted !== undefined) return wanted.includes(name) || compared.includes(name);
    return !isHidden && !(values.smoke && needsPeers);
  };
  return {
    ...values,
    setups: setups.filter(isChosen),
    rounds: values.rounds === undefined ? (values.smoke ? 1 : ROUNDS) : Number(values.rounds),
    loads: values.smoke ? LOADS.smoke : LOADS.full,
    hasWorkers: wanted === undefined,
    isComplete: !values.smoke && wanted === undefined,
  };
}

function parse(commandLine) {
  const flag = { type: 'boolean', default: false };
  const text = { type: 'string' };
  const options = { smoke: flag, charts: flag, help: flag, 'no-build': flag, setup: text, rounds: text };
  try {
    return parseArgs({ args: commandLine, options }).values;
  } catch (error) {
    throw new UsageError(`${error.message.split('. ', 1)[0]}.\n\n${HELP}`);
  }
}
