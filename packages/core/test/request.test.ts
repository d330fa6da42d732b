import { describe, expect, test } from 'vitest';
import { AGRequest, InvalidActionError } from '../src/index.js';

/** A request whose socket keeps what is sent to it, as text. */
function requestWithLog(): { request: AGRequest; sent: string[]; options: unknown[] } {
  const sent: string[] = [];
  const options: unknown[] = [];
  const socket = {
    sendObject(object: unknown, givenOptions?: unknown) {
      sent.push(JSON.stringify(object));
      options.push(givenOptions);
    },
  };
  return { request: new AGRequest(socket, 3, 'greet', { name: 'ann' }), sent, options };
}

describe('AGRequest', () => {
  test('says what was called, by whom, and that it is not answered', () => {
    const { request } = requestWithLog();
    expect(request).toMatchObject({ id: 3, procedure: 'greet', data: { name: 'ann' }, sent: false });
    expect(typeof request.socket.sendObject).toBe('function');
  });

  test.each<[how: string, answer: (request: AGRequest) => void, frame: string]>([
    ['`end()`', (request) => request.end(), '{"rid":3}'],
    ['`end(data)`', (request) => request.end({ a: 1 }), '{"rid":3,"data":{"a":1}}'],
    ['`end(null)`', (request) => request.end(null), '{"rid":3,"data":null}'],
    [
      '`error(error)`',
      (request) => request.error(new TypeError('no')),
      '{"rid":3,"error":{"message":"no","name":"TypeError"}}',
    ],
    ["`error('text')`", (request) => request.error('text'), '{"rid":3,"error":"text"}'],
    ['`error(null)`', (request) => request.error(null), '{"rid":3,"error":null}'],
    ['`error()`', (request) => request.error(), '{"rid":3}'],
  ])('%s sends the answer and notes that it was sent', (_, answer, frame) => {
    const { request, sent } = requestWithLog();
    answer(request);
    expect(sent).toEqual([frame]);
    expect(request.sent).toBe(true);
  });

  test('hands options through to the socket', () => {
    const { request, options } = requestWithLog();
    request.end('x', { useCache: true });
    expect(options).toEqual([{ useCache: true }]);
  });

  test('refuses a second answer of either kind', () => {
    const { request, sent } = requestWithLog();
    request.end();
    const refusal = new InvalidActionError('Response to request 3 has already been sent');
    expect(() => request.end()).toThrow(refusal);
    expect(() => request.error('x')).toThrow(refusal);
    expect(sent).toHaveLength(1);
  });

  test('`end` and `error` work detached, and stay the same function', () => {
    const { request, sent } = requestWithLog();
    const { end, error } = request;
    expect(request.end).toBe(end);
    expect(request.error).toBe(error);
    error('x');
    expect(sent).toEqual(['{"rid":3,"error":"x"}']);
  });

  test('`end` and `error` can be replaced, before and after they were used', () => {
    const { request, sent } = requestWithLog();
    const original = request.end;
    request.end = (data) => original({ wrapped: data });
    request.error = () => original('replaced');
    request.end(1);
    expect(sent).toEqual(['{"rid":3,"data":{"wrapped":1}}']);
    expect(() => request.error()).toThrow('already been sent');
  });
});
