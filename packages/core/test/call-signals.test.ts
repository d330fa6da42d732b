import { expect, test } from 'vitest';
import { AGRequest, CallSignals } from '../src/index.js';

test('a signal is aborted when its caller gives the call up, with a typed error', () => {
  const signals = new CallSignals();
  const { signal } = signals.open(3);
  expect(signal.aborted).toBe(false);
  signals.abort(4);
  expect(signal.aborted).toBe(false);
  signals.abort(3);
  expect(signal.reason).toMatchObject({ name: 'AbortError', message: 'The caller gave up call 3' });
  expect(signals.size).toBe(0);
});

test('a signal that is asked for after the abort is aborted from the start', () => {
  const signals = new CallSignals();
  signals.abort(0.5);
  expect(signals.open(0.5).signal.reason).toMatchObject({ name: 'AbortError' });
  expect(signals.size).toBe(0);
});

test('a closed signal is not aborted any more and leaves nothing behind', () => {
  const signals = new CallSignals();
  const { signal, close } = signals.open(1);
  close();
  close();
  signals.abort(1);
  signals.end(new Error('gone'));
  expect(signal.aborted).toBe(false);
  expect(signals.size).toBe(0);
});

test('a peer that gives two calls one number does not hide the first', () => {
  const signals = new CallSignals();
  const [first, second] = [signals.open(1), signals.open(1)];
  second.close();
  signals.end(new Error('gone'));
  expect(first.signal.reason).toEqual(new Error('gone'));
  expect(second.signal.aborted).toBe(false);
});

test('the end aborts all signals, and those that are asked for later', () => {
  const signals = new CallSignals();
  const before = signals.open(1).signal;
  signals.end(new Error('gone'));
  signals.end(new Error('again'));
  expect(before.reason).toEqual(new Error('gone'));
  expect(signals.open(2).signal.reason).toEqual(new Error('gone'));
  expect(signals.size).toBe(0);
});

test('calls that nobody made can be aborted without end, and only the latest are remembered', () => {
  const signals = new CallSignals();
  for (let cid = 1; cid <= 1000; cid += 1) signals.abort(cid);
  expect(signals.open(1000).signal.aborted).toBe(true);
  expect(signals.open(1000 - 255).signal.aborted).toBe(true);
  expect(signals.open(1000 - 256).signal.aborted).toBe(false);
});

test('a request asks for its signal once, when somebody reads it, and closes it with the answer', () => {
  const signals = new CallSignals();
  let asked = 0;
  const socket = {
    sendObject: () => {},
    openCallSignal(cid: number) {
      asked += 1;
      return signals.open(cid);
    },
  };
  const request = new AGRequest(socket, 1, 'add', undefined);
  expect(request.isAborted).toBe(false);
  expect(asked).toBe(0);
  expect(request.signal).toBe(request.signal);
  expect([asked, signals.size]).toEqual([1, 1]);
  request.end();
  expect(signals.size).toBe(0);
  const answered = new AGRequest(socket, 2, 'add', undefined);
  answered.end();
  expect(answered.signal.aborted).toBe(false);
  expect([asked, signals.size]).toEqual([1, 0]);
});

test('a request of a connection without signals has one that is never aborted', () => {
  expect(new AGRequest({ sendObject: () => {} }, 1, 'add', undefined).signal.aborted).toBe(false);
});
