import { parseArgs } from 'node:util';
import { scenarios } from './scenarios.mjs';
import { servers } from './servers.mjs';

const ROUNDS = { full: 5, quick: 3, smoke: 1 };

const shownServers = servers.filter((server) => !server.isHidden);

export const HELP = `npm run bench -- [options]

Runs every scenario against every server, alternated run by run, and compares what it cost. Results go to bench/results/.

  --quick                 fan-out, RPC, connections and idle, in about two minutes
  --smoke                 every scenario for a moment: shows that it runs, its figures mean nothing
  --scenario <a,b>        only these: ${wrapped(scenarios.map(({ name }) => name))}
  --server <a,b>          only these: ${wrapped(shownServers.map(({ name }) => name))}
  --rounds <n>            how often each pair is run (${ROUNDS.full}; with --quick ${ROUNDS.quick}, with --smoke ${ROUNDS.smoke})
  --out <name>            the name of the result file, without .json
  --into <name>           puts what is measured into this earlier result, in the place of the same scenarios
  --no-build              takes the packages as they were built last

  --profile               runs one server (ours, unless --server says otherwise) once per scenario and writes a profile of
                          what is measured to bench/results/profiles/, of the memory where that is what is measured
  --charts                draws docs/charts/*.svg and writes the tables of docs/performance.md, from the newest full result;
                          runs nothing
  --from <name>           the result file to take instead, without .json
  --help                  this text
`;

/** Something is wrong with the command line. */
export class UsageError extends Error {}

/**
 * @typedef {object} Options
 * @property {'run' | 'profile' | 'charts' | 'help'} action
 * @property {'full' | 'quick' | 'smoke'} mode
 * @property {import('./scenarios.mjs').Scenario[]} scenarios
 * @property {import('./servers.mjs').ServerKind[]} servers
 * @property {boolean} areServersChosen
 * @property {number} rounds
 * @property {boolean} build
 * @property {string | undefined} out
 * @property {string | undefined} into
 * @property {string | undefined} from
 */

/**
 * Reads the command line.
 * @param {string[]} commandLine
 * @returns {Options}
 * @throws {UsageError} that names what is allowed
 */
export function readOptions(commandLine) {
  const values = parse(commandLine);
  if (values.quick && values.smoke) throw new UsageError('--quick and --smoke exclude each other.');
  if (values.profile && values.charts) throw new UsageError('--profile and --charts exclude each other.');
  if (values.from !== undefined && !values.charts) throw new UsageError('--from belongs to --charts.');
  const mode = values.quick ? 'quick' : values.smoke ? 'smoke' : 'full';
  return {
    action: values.help ? 'help' : values.charts ? 'charts' : values.profile ? 'profile' : 'run',
    mode,
    scenarios: chosen(
      'scenario',
      values.scenario,
      scenarios,
      (each) => mode !== 'quick' || each.isQuick === true,
    ),
    servers: chosen('server', values.server, servers, (each) => each.isHidden !== true),
    areServersChosen: values.server !== undefined,
    rounds: values.rounds === undefined ? ROUNDS[mode] : positiveInteger('rounds', values.rounds),
    build: !values['no-build'],
    out: fileName('out', values.out),
    into: fileName('into', values.into),
    from: fileName('from', values.from),
  };
}

function parse(commandLine) {
  const flag = { type: 'boolean', default: false };
  const text = { type: 'string' };
  const options = {
    scenario: text,
    server: text,
    rounds: text,
    out: text,
    into: text,
    from: text,
    quick: flag,
    smoke: flag,
    charts: flag,
    profile: flag,
    help: flag,
    'no-build': flag,
  };
  try {
    return parseArgs({ args: commandLine, options }).values;
  } catch (error) {
    const names = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`${error.message.split('. ', 1)[0]}.\nThe options are ${names.join(', ')}.`);
  }
}

function chosen(option, names, all, isDefault) {
  if (names === undefined) return all.filter(isDefault);
  const wanted = names.split(',');
  const unknown = wanted.find((name) => all.every((each) => each.name !== name));
  if (unknown !== undefined) {
    const allowed = all.filter((each) => each.isHidden !== true).map(({ name }) => name);
    throw new UsageError(`There is no ${option} "${unknown}".\nThere are ${allowed.join(', ')}.`);
  }
  return all.filter(({ name }) => wanted.includes(name));
}

function positiveInteger(option, text) {
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw new UsageError(`--${option} takes a whole number from 1 to 9999, got "${text}".`);
  }
  return Number(text);
}

function fileName(option, text) {
  if (text !== undefined && !/^[\w.-]+$/.test(text)) {
    throw new UsageError(`--${option} takes a name of letters, digits, ".", "_" and "-", got "${text}".`);
  }
  return text;
}

function wrapped(names) {
  const lines = [''];
  for (const name of names) {
    if (lines.at(-1).length + name.length > 80) lines.push('');
    lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ', '}${name}`;
  }
  return lines.join(`,\n${' '.repeat(26)}`);
}
