import type { FuzzInput } from './fuzz-input.js';
import { type FuzzConnection, FuzzServer, type ServerName } from './fuzz-server.js';
import { type Expected, expect } from './packet-model.js';
import { type Message, type ReadFrames, readFrames } from './read-frames.js';

/** After this time, in ms, what has not happened does not happen. Only broken rules take it. */
const PATIENCE_MS = 1000;
const HEAD_END = '\r\n\r\n';

/** Something that an input must not bring about. */
export class Violation extends Error {
  override readonly name: string = 'Violation';
}

/** What escapes from a server and would end its process. */
const escapes: unknown[] = [];

/** Notes what nobody catches, instead of ending this process. Call it in a process of its own. */
export function catchEscapes(): void {
  process.on('uncaughtException', (error) => escapes.push(error));
  process.on('unhandledRejection', (reason) => escapes.push(reason));
}

const servers = new Map<ServerName, FuzzServer>();

/**
 * Lets a client do all this to a real server, from its bytes to the packets and the answers. Gives how many messages it sent.
 *
 * @throws {Violation} that says which rule was broken
 */
export async function runInput(input: FuzzInput): Promise<number> {
  const server = servers.get(input.server) ?? new FuzzServer(input.server);
  servers.set(input.server, server);
  try {
    return await attempt(server, input);
  } catch (error) {
    // What is wrong with it must not be blamed on the next one.
    servers.delete(input.server);
    escapes.length = 0;
    throw error;
  }
}

/** Ends the servers. */
export async function endServers(): Promise<void> {
  for (const server of servers.values()) await server.close();
  servers.clear();
}

async function attempt(server: FuzzServer, { isSlow, reads, end }: FuzzInput): Promise<number> {
  const sent = readFrames(reads, server.rules);
  const expected = expect(sent.messages, server.rules);
  const mayClose = sent.closeCode !== undefined || expected.closeCodes.length > 0;
  const connection = server.connect(isSlow);
  for (const bytes of reads) {
    connection.net.feed(Buffer.from(bytes));
    await turn();
  }
  let answered = readAnswers(connection);
  let written = connection.net.written.length;
  await waitUntil(() => {
    if (connection.net.written.length > written) answered = readAnswers(connection);
    written = connection.net.written.length;
    return isComplete(answered, expected, mayClose);
  });
  // One more, for what should not come.
  await turn();
  judge(server, connection, { sent, expected, answered: readAnswers(connection) });
  await leave(server, connection, end);
  return sent.messages.length;
}

/** What the server has written to a client. */
interface Answered extends ReadFrames {
  readonly counts: ReadonlyMap<number, number>;
}

function readAnswers({ net }: FuzzConnection): Answered {
  const bytes = Buffer.concat(net.written);
  const head = bytes.indexOf(HEAD_END);
  if (head === -1) throw new Violation('The upgrade was not answered');
  const rules = { isServer: false, maxPayload: 0, maxFragments: 0 };
  const read = readFrames([bytes.subarray(head + HEAD_END.length)], rules);
  const counts = new Map<number, number>();
  for (const message of read.messages) {
    if (message === '') continue;
    const value = JSON.parse(message.toString()) as unknown;
    for (const { rid } of (Array.isArray(value) ? value : [value]) as { rid?: number }[]) {
      if (rid !== undefined) counts.set(rid, (counts.get(rid) ?? 0) + 1);
    }
  }
  return { ...read, counts };
}

function isComplete({ counts, closeCode }: Answered, { answers }: Expected, mayClose: boolean): boolean {
  if (closeCode !== undefined) return true;
  if (mayClose) return false;
  for (const [cid, { least }] of answers) if ((counts.get(cid) ?? 0) < least) return false;
  return true;
}

interface Outcome {
  readonly sent: ReadFrames;
  readonly expected: Expected;
  readonly answered: Answered;
}

function judge(
  server: FuzzServer,
  { messages }: FuzzConnection,
  { sent, expected, answered }: Outcome,
): void {
  if (escapes.length > 0) throw new Violation('Something escaped', { cause: escapes[0] });
  const [bug] = server.bugs;
  if (bug !== undefined)
    throw new Violation(`The server reported a ${bug.name}: ${bug.message}`, { cause: bug });
  if (answered.isBroken) throw new Violation('The server sent a frame that breaks the rules');

  const required = [...expected.closeCodes, ...(sent.closeCode === undefined ? [] : [sent.closeCode])];
  const { closeCode } = answered;
  if (closeCode === undefined && required.length > 0)
    throw new Violation(`The server did not close with any of ${required.join()}`);
  if (closeCode !== undefined && ![...required, ...expected.possibleCodes].includes(closeCode))
    throw new Violation(`The server closed with ${closeCode} instead of any of ${required.join() || 'none'}`);

  for (const [cid, count] of answered.counts) {
    const most = expected.answers.get(cid)?.most ?? 0;
    if (count > most)
      throw new Violation(`Call ${cid} was answered ${count} times, at most ${most} are right`);
  }
  for (const [cid, { least }] of expected.answers) {
    const count = answered.counts.get(cid) ?? 0;
    if (closeCode === undefined && count < least)
      throw new Violation(`Call ${cid} was answered ${count} times instead of ${least}`);
  }

  for (const [index, message] of messages.entries()) {
    if (!isSame(message, sent.messages[index]))
      throw new Violation(
        `Message ${index} was read as ${show(message)} instead of ${show(sent.messages[index])}`,
      );
  }
  // A server that has closed by itself reads no more.
  const mustHaveAll = closeCode === undefined || (expected.closeCodes.length === 0 && !server.isForgetful);
  if (mustHaveAll && expected.possibleCodes.length === 0 && messages.length < sent.messages.length)
    throw new Violation(`${messages.length} messages were read instead of ${sent.messages.length}`);
}

/** The client leaves, and nothing of it stays. */
async function leave(server: FuzzServer, { net }: FuzzConnection, end: FuzzInput['end']): Promise<void> {
  if (end === 'end') net.feedEnd();
  else if (end === 'break') net.break();
  else net.destroy();
  await waitUntil(() => server.connections === 0);
  // Who ends only one direction is closing until the server has cut it.
  if (server.connections > 0 && end === 'end') throw new Violation('A client that ended its stream was kept');
  if (server.connections > 0) throw new Violation('A client that had gone was kept');
  if (server.channels.length > 0) throw new Violation(`Channels were kept: ${server.channels.join()}`);
  net.destroy();
  for (const key in {}) throw new Violation(`Every object has the property ${key} now`);
}

function isSame(one: Message, other: Message | undefined): boolean {
  if (typeof one === 'string' || typeof other === 'string' || other === undefined) return one === other;
  return one.equals(other);
}

function show(message: Message | undefined): string {
  return message === undefined ? 'nothing' : JSON.stringify(message).slice(0, 100);
}

/** Looks again on every turn of the event loop, until there is no more use in it. */
async function waitUntil(isMet: () => boolean): Promise<void> {
  if (isMet()) return;
  const giveUpAt = performance.now() + PATIENCE_MS;
  do await turn();
  while (!isMet() && performance.now() < giveUpAt);
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
