/** The process of the load generator: takes one order, does one run, reports, and ends. */
import { dialects } from './dialects/dialect.mjs';
import { Faults } from './faults.mjs';
import { scenarios } from './run.mjs';

/** @type {((answer: unknown) => void)[]} */
const questions = [];

process.once('message', (order) => {
  process.on('message', ({ answer }) => questions.shift()(answer));
  void perform(order);
});
process.once('disconnect', () => process.exit(0));

function ask(question) {
  return new Promise((resolve) => {
    questions.push(resolve);
    process.send({ question });
  });
}

async function perform({ kind, parameters, dialect, port, pid }) {
  const faults = new Faults();
  let figures;
  let failure;
  try {
    figures = await scenarios[kind]({ port, pid, dialect: dialects[dialect], faults, ask, parameters });
    if (figures === undefined && faults.total === 0) failure = 'nothing arrived any more';
  } catch (error) {
    failure = String(error?.stack ?? error);
  }
  const { counts, descriptions, total } = faults;
  process.send({ report: { figures, failure, faults: { counts, descriptions, total } } }, () =>
    process.exit(0),
  );
}
