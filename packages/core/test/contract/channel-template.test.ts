import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { ChannelTemplate } from '../../src/contract/channel-template.js';

const room = new ChannelTemplate('room/:id');

describe('a name is made of a template and its parameters', () => {
  test.each([
    ['42', 'room/42'],
    ['a/b', 'room/a%2Fb'],
    ['100%', 'room/100%25'],
    ['%2F', 'room/%252F'],
    [':id', 'room/%3Aid'],
    ['a:b', 'room/a:b'],
    [' ', 'room/ '],
    ['日本', 'room/日本'],
    [7, 'room/7'],
    [-0.5, 'room/-0.5'],
  ])('%j becomes %j and comes back', (id, name) => {
    expect(room.build({ id })).toBe(name);
    expect(room.match(name.split('/'))).toEqual({ id: String(id) });
  });

  test.each([[''], [undefined], [null], [Number.NaN], [Infinity], [true], [{}]])(
    '%j is no parameter',
    (id) => {
      expect(() => room.build({ id: id as never })).toThrow(
        'The channel "room/:id" needs a text or a number as parameter "id"',
      );
    },
  );

  test('a parameter that the template does not have is named', () => {
    expect(() => room.build({ id: 1, name: 'x' })).toThrow(
      'The channel "room/:id" has no parameter "name"; its parameters: id',
    );
    expect(() => new ChannelTemplate('news').build({ id: 1 })).toThrow('its parameters: none');
  });

  test('parameters that an object inherits are not taken', () => {
    expect(() => room.build(Object.create({ id: 'x' }) as never)).toThrow('needs a text or a number');
    expect(() => new ChannelTemplate('a/:constructor').build({})).toThrow('needs a text or a number');
    expect(new ChannelTemplate('a/:__proto__').match(['a', 'x'])).toEqual(JSON.parse('{"__proto__":"x"}'));
  });
});

describe('a name that is not what build() gives does not match', () => {
  test.each([
    'room',
    'room/',
    'room/a/b',
    'Room/a',
    'room/:id',
    'room/50%',
    'room/a%2fb',
    'room/a%3Ab',
    'room/%20',
    'room/%41',
  ])('%j', (name) => {
    expect(room.match(name.split('/'))).toBeUndefined();
  });
});

property.prop([
  fc.string({ minLength: 1, unit: 'binary' }),
  fc.string({ minLength: 1, unit: fc.constantFrom('/', '%', ':', '2', '5', 'F', 'a') }),
])('any parameters come back, and different ones have different names', (a, b) => {
  const template = new ChannelTemplate('x/:a/y/:b');
  const name = template.build({ a, b });
  expect(template.match(name.split('/'))).toEqual({ a, b });
  if (a !== b) expect(template.build({ a: b, b: a })).not.toBe(name);
});

property.prop([
  fc.array(fc.constantFrom('a', 'b', ':x', ':y', '%41', ''), { minLength: 1, maxLength: 3 }),
  fc.array(fc.constantFrom('a', 'b', ':x', ':y', '%41', ''), { minLength: 1, maxLength: 3 }),
])('templates overlap exactly when some name is of both', (first, second) => {
  fc.pre(
    new Set(first.filter((each) => each.startsWith(':'))).size ===
      first.filter((each) => each.startsWith(':')).length,
  );
  fc.pre(
    new Set(second.filter((each) => each.startsWith(':'))).size ===
      second.filter((each) => each.startsWith(':')).length,
  );
  const [one, two] = [new ChannelTemplate(first.join('/')), new ChannelTemplate(second.join('/'))];
  // Segments that a name can have: those of both templates, and one of nobody.
  const words = ['a', 'b', 'q', '%41', ''];
  const names = words.flatMap((w) => [
    [w],
    ...words.flatMap((v) => [[w, v], ...words.map((u) => [w, v, u])]),
  ]);
  const isOf = (template: ChannelTemplate, name: string[]): boolean => template.match(name) !== undefined;
  const common = names.some((name) => isOf(one, name) && isOf(two, name));
  expect(one.overlaps(two)).toBe(common);
  expect(two.overlaps(one)).toBe(common);
});

test.each([
  [
    'room/:',
    'A parameter of a channel must be a colon and a name of letters, digits and underscores - Got ":" in "room/:"',
  ],
  ['room/:1', '":1"'],
  ['room/:a-b', '":a-b"'],
  ['a/:x/:x', 'must have different names - Got "a/:x/:x"'],
])('%j is no template', (text, message) => {
  expect(() => new ChannelTemplate(text)).toThrow(message);
});
