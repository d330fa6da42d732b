// The program of a `Bystander`: publishes to itself, one message after the other, and notes what is wrong with what comes back. In a process of
// its own, so that attackers do not hold it up by what they do in theirs; plain JavaScript, since Node 20 starts no TypeScript file.
import { WebSocket } from 'ws';

const { url, localAddress, deadlineMs, pauseMs } = JSON.parse(process.argv[2]);
const CHANNEL = 'bystander';

const socket = new WebSocket(url, { localAddress });
let sent = 0;
let sentAt = 0;
let timer;
let report = emptyReport();

function emptyReport() {
  return { rounds: 0, worstMs: 0, faults: [] };
}

function fault(what) {
  report.faults.push(what);
  process.send({ news: 'fault' });
}

function call(event, data, cid) {
  socket.send(JSON.stringify({ event, data, cid }));
}

function publish() {
  sent += 1;
  sentAt = performance.now();
  timer = setTimeout(() => fault(`message ${sent} took more than ${deadlineMs} ms`), deadlineMs);
  expected = [`message ${sent}`, `answer ${sent}`];
  call('#publish', { channel: CHANNEL, data: sent }, sent);
}

/** What has to arrive, in this order. */
let expected = ['answer -1', 'answer 0'];

function take(what) {
  if (what !== expected[0]) {
    fault(`got ${what} instead of ${expected[0] ?? 'nothing'}`);
    return;
  }
  expected.shift();
  if (expected.length > 0) return;
  if (sent === 0) process.send({ ready: true });
  else {
    clearTimeout(timer);
    report.rounds += 1;
    report.worstMs = Math.max(report.worstMs, performance.now() - sentAt);
    process.send({ news: 'round' });
  }
  setTimeout(publish, pauseMs);
}

socket.on('open', () => {
  call('#handshake', { authToken: null }, -1);
  call('#subscribe', { channel: CHANNEL }, 0);
});
socket.on('message', (bytes) => {
  const text = bytes.toString();
  if (text === '') {
    socket.send('');
    return;
  }
  const packet = JSON.parse(text);
  if (packet.event === '#publish') take(`message ${packet.data.data}`);
  else if (packet.rid !== undefined && packet.error === undefined) take(`answer ${packet.rid}`);
  else take(text);
});
socket.on('close', (code) => fault(`was closed with ${code}`));
socket.on('error', (error) => fault(error.message));

process.on('message', () => {
  process.send({ report });
  report = emptyReport();
});
// It must not outlive the tests.
process.on('disconnect', () => process.exit());
