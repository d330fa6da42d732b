import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type Checked,
  type ContractDefinition,
  defineContract,
  InvalidDataError,
  type Schema,
  type,
} from '../../src/index.js';

const contract = defineContract({
  procedures: {
    add: { argument: z.tuple([z.number(), z.number()]), result: z.number() },
    ping: {},
    trusted: { argument: type<number>(), result: type<number>() },
  },
  events: { typing: z.object({ room: z.string().trim() }) },
  channels: {
    news: z.string(),
    'room/:id': z.object({ text: z.string() }),
    'room/:id/typing': { message: z.boolean(), subscribe: z.object({ key: z.string() }) },
  },
  token: z.strictObject({ user: z.string() }),
});

function errorOf(checked: Checked | Promise<Checked>): unknown {
  expect(checked).not.toBeInstanceOf(Promise);
  return (checked as Checked).error;
}

describe('data is checked by the schema of its entry', () => {
  test('what fits is handed on as the schema made it', () => {
    expect(contract.checkArgument('add', [1, 2])).toEqual({ value: [1, 2] });
    expect(contract.checkResult('add', 3)).toEqual({ value: 3 });
    expect(contract.checkEvent('typing', { room: ' a ', more: 1 })).toEqual({ value: { room: 'a' } });
    expect(contract.checkMessage('room/1', { text: 'x' })).toEqual({ value: { text: 'x' } });
    expect(contract.checkSubscription('room/1/typing', { key: 'k' })).toEqual({ value: { key: 'k' } });
  });

  test('what does not fit is an error that names the entry and the path', () => {
    const error = errorOf(contract.checkArgument('add', [1, 'two']));
    expect(error).toBeInstanceOf(InvalidDataError);
    expect(error).toMatchObject({
      name: 'InvalidDataError',
      entry: 'procedures.add.argument',
      message: expect.stringMatching(/^Invalid data for procedures\.add\.argument at 1: .*number/),
      issues: [{ path: '1', message: expect.stringContaining('number') }],
    });
    expect(errorOf(contract.checkMessage('room/1', { text: 1 }))).toMatchObject({
      entry: 'channels.room/:id',
      issues: [{ path: 'text' }],
    });
    expect(errorOf(contract.checkSubscription('room/1/typing', undefined))).toMatchObject({
      entry: 'channels.room/:id/typing.subscribe',
    });
    expect(errorOf(contract.checkEvent('typing', 5))).toMatchObject({
      entry: 'events.typing',
      issues: [{ path: '' }],
    });
  });

  test('an entry without a schema takes no data, and null for none', () => {
    expect(contract.checkArgument('ping', undefined)).toEqual({ value: undefined });
    expect(contract.checkArgument('ping', null)).toEqual({ value: undefined });
    expect(errorOf(contract.checkArgument('ping', 0))).toMatchObject({
      message: 'Invalid data for procedures.ping.argument: the contract allows no data here',
    });
  });

  test('type() checks nothing, nor does a channel that says nothing about subscriptions', () => {
    expect(contract.checkArgument('trusted', 'anything')).toEqual({ value: 'anything' });
    expect(contract.checkSubscription('news', { any: 1 })).toEqual({ value: { any: 1 } });
  });

  test.each([
    ['procedure', contract.checkArgument('ad', 1)],
    ['procedure', contract.checkResult('constructor', 1)],
    ['event', contract.checkEvent('__proto__', 1)],
    ['channel', contract.checkMessage('room', 1)],
    ['channel', contract.checkMessage('room/:id', { text: '' })],
    ['channel', contract.checkSubscription('room/1/2/3', 1)],
  ])('a %s that the contract does not have is told from wrong data', (kind, checked) => {
    expect(errorOf(checked)).toMatchObject({ name: 'UnknownNameError', kind });
  });

  test('an unknown name of any length makes a short message', () => {
    expect(String(errorOf(contract.checkEvent('x'.repeat(1_000_000), 1))).length).toBeLessThan(150);
    expect(errorOf(contract.checkMessage('/'.repeat(1_000_000), 1))).toMatchObject({ kind: 'channel' });
  });
});

describe('the claims of a token', () => {
  test('are shown to the schema without exp, iat and nbf, which are kept', () => {
    expect(contract.checkToken({ user: 'ann', exp: 5, iat: 1 })).toEqual({
      value: { user: 'ann', exp: 5, iat: 1 },
    });
    expect(errorOf(contract.checkToken({ exp: 5 }))).toMatchObject({
      entry: 'token',
      issues: [{ path: 'user' }],
    });
  });

  test('are any without a schema, and may be checked in time', async () => {
    expect(defineContract({}).checkToken({ a: 1 })).toEqual({ value: { a: 1 } });
    const slow = defineContract({ token: z.object({ user: z.string() }).refine(async () => true) });
    expect(await slow.checkToken({ user: 'x', exp: 1 })).toEqual({ value: { user: 'x', exp: 1 } });
  });
});

function schema(validate: (value: unknown) => unknown): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}

describe('a schema that fails', () => {
  test.each([
    [
      'throws',
      schema(() => {
        throw new Error('secret');
      }),
    ],
    ['rejects', schema(() => Promise.reject(new Error('secret')))],
    ['gives nothing', schema(() => undefined)],
    ['gives no list of issues', schema(() => ({ issues: 5 }))],
    ['has issues that are none', schema(() => ({ issues: [null] }))],
  ])('because it %s is an error about the data, and its own error stays here', async (_, broken) => {
    const { error } = await defineContract({ events: { a: broken } }).checkEvent('a', 1);
    expect(error).toMatchObject({ message: 'Invalid data for events.a: the data could not be checked' });
    expect(error?.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  test('thousands of issues, long paths and long texts are cut', () => {
    const issue = { message: 'm'.repeat(5000), path: Array.from({ length: 5000 }, () => ({ key: 'k' })) };
    const many = defineContract({
      events: { a: schema(() => ({ issues: Array.from({ length: 5000 }, () => issue) })) },
    });
    const error = errorOf(many.checkEvent('a', 1)) as InvalidDataError;
    expect(error.message).toContain('(and 4999 more)');
    expect(error.issues).toHaveLength(10);
    expect(JSON.stringify(error).length).toBeLessThan(6000);
  });

  test('issues without a list of their own are enough for a refusal', () => {
    const none = defineContract({ events: { a: schema(() => ({ issues: [] })) } });
    expect(errorOf(none.checkEvent('a', 1))).toMatchObject({
      message: 'Invalid data for events.a: it was refused',
    });
  });
});

describe('names of channels', () => {
  test('are made and taken apart by the contract', () => {
    expect(contract.channel('room/:id', { id: 'a/b' })).toBe('room/a%2Fb');
    expect(contract.channel('news')).toBe('news');
    expect(contract.parse('room/a%2Fb')).toEqual({ template: 'room/:id', parameters: { id: 'a/b' } });
    expect(contract.parse('room/1/typing')).toEqual({ template: 'room/:id/typing', parameters: { id: '1' } });
    expect(contract.parse('news')).toEqual({ template: 'news', parameters: {} });
    expect(contract.parse('rooms/1')).toBeUndefined();
  });

  test('of a template that the contract does not have are refused with what there is', () => {
    expect(() => contract.channel('rom/:id' as never)).toThrow(
      'The contract has no channel "rom/:id"; its channels: news, room/:id, room/:id/typing',
    );
  });
});

const text = z.string();

describe('defineContract() names what was given and what is allowed', () => {
  const cases: [string, unknown, string][] = [
    [
      'no object',
      5,
      'The definition of a contract must be an object with the keys procedures, events, channels, token - Got 5',
    ],
    ['another key', { procedure: {} }, 'Got "procedure"'],
    [
      'a schema',
      text,
      'The definition of a contract must be an object with the keys procedures, events, channels, token - Got a schema',
    ],
    [
      'a section that is no object',
      { events: [] },
      'events must be an object with an entry for each name, without a prototype of its own - Got an array of 0',
    ],
    [
      'a section that is null',
      { events: null },
      'events must be an object with an entry for each name - Got null',
    ],
    [
      'a name of the protocol',
      { events: { '#publish': text } },
      'events must be names that do not begin with #, which are those of the protocol - Got "#publish"',
    ],
    ['a procedure of the protocol', { procedures: { '#abort': {} } }, 'Got "#abort"'],
    [
      'a schema as procedure',
      { procedures: { add: text } },
      'procedures.add must be an object with the keys argument and result, both optional - Got a schema: is it the argument?',
    ],
    [
      'another key of a procedure',
      { procedures: { add: { args: text } } },
      'procedures.add must be an object with the keys argument, result - Got "args"',
    ],
    [
      'an argument that is none',
      { procedures: { add: { argument: 'number' } } },
      'procedures.add.argument must be type<…>() or a Standard Schema - Got "number"',
    ],
    [
      'a result that is none',
      { procedures: { add: { result: Number } } },
      'procedures.add.result must be type<…>() or a Standard Schema - Got a function',
    ],
    [
      'an event that is none',
      { events: { a: { type: 'string' } } },
      'events.a must be type<…>() or a Standard Schema - Got an object with the keys type',
    ],
    [
      'a channel that is none',
      { channels: { a: null } },
      'channels.a must be type<…>(), a Standard Schema, or an object with the keys message and subscribe - Got null',
    ],
    [
      'a channel without a message',
      { channels: { a: { subscribe: text } } },
      'channels.a.message must be type<…>() or a Standard Schema - Got undefined',
    ],
    [
      'another key of a channel',
      { channels: { a: { message: text, subscription: text } } },
      'Got "subscription"',
    ],
    ['no template', { channels: { 'a/:': text } }, 'A parameter of a channel must be a colon and a name'],
    [
      'two templates for one name',
      { channels: { 'a/:x': text, 'a/:y': text } },
      'The channels "a/:x" and "a/:y" fit the same names: a name must tell which channel it is',
    ],
    [
      'a name that fits a template',
      { channels: { 'room/:id': text, 'room/lobby': text } },
      'The channels "room/:id" and "room/lobby" fit the same names',
    ],
    [
      'a token that is none',
      { token: {} },
      'token must be type<…>() or a Standard Schema - Got an object with the keys ',
    ],
    [
      'names in a prototype',
      { events: JSON.parse('{}'), procedures: Object.create({ add: {} }) },
      'procedures must be an object with an entry for each name, without a prototype of its own',
    ],
  ];
  test.each(cases)('%s', (_, definition, message) => {
    expect(() => defineContract(definition as ContractDefinition)).toThrow(
      expect.objectContaining({ name: 'InvalidArgumentsError', message: expect.stringContaining(message) }),
    );
  });
});
