import { defineContract } from '@socketcluster-ts/core';
import * as v from 'valibot';
import { messageText, personName, roomName } from './text-input.js';

const NUMBERS_RULE = 'Both a and b must be numbers.';
const DIE_RULE = 'A die has 2 to 1000 sides.';

/**
 * One message of a room.
 *
 * A client says `id`, `text` and `name`; `member` and `at` are what the server makes of it, whatever was claimed. The id
 * comes from the sender, so that a message can be sent twice and is still one.
 */
const chatMessage = v.object({
  id: v.pipe(v.string(), v.uuid('The id of a message is a UUID.')),
  text: messageText,
  name: personName,
  /** Whether the name was proven by a login. */
  member: v.optional(v.boolean(), false),
  /** Server time, in ms since the epoch. */
  at: v.optional(v.pipe(v.number(), v.safeInteger()), 0),
});

const room = v.object({ room: roomName });

/**
 * What the server and the page have agreed on. Both take their types from it, and both check with it what arrives: the
 * server what pages send, before any of its own code sees it, and a page what the server sends.
 */
export const contract = defineContract({
  procedures: {
    serverTime: { result: v.pipe(v.string(), v.isoTimestamp()) },
    add: {
      argument: v.object({ a: v.number(NUMBERS_RULE), b: v.number(NUMBERS_RULE) }, NUMBERS_RULE),
      result: v.number(),
    },
    rollDice: {
      argument: v.object({
        sides: v.pipe(
          v.number(DIE_RULE),
          v.integer(DIE_RULE),
          v.minValue(2, DIE_RULE),
          v.maxValue(1000, DIE_RULE),
        ),
      }),
      result: v.number(),
    },
    whoAmI: {
      result: v.object({ socketId: v.string(), authState: v.string(), name: v.optional(v.string()) }),
    },
    history: { argument: room, result: v.object({ messages: v.array(chatMessage) }) },
    login: {
      argument: v.object({ name: personName, password: v.string() }),
      result: v.object({ name: v.string() }),
    },
    logout: {},
  },
  events: {
    /** Somebody is writing in a room. */
    typing: v.object({ room: roomName, name: personName }),
  },
  channels: {
    'room/:room': chatMessage,
    'presence/:room': v.object({ count: v.number() }),
    'typing/:room': v.object({ socketId: v.string(), name: v.string() }),
    /** The figures of the server, once a second. */
    stats: v.object({
      published: v.number(),
      clients: v.number(),
      upSeconds: v.number(),
      rooms: v.record(v.string(), v.number()),
    }),
    /** Where a page makes traffic for the chart; its messages carry nothing. */
    burst: v.null(),
  },
  token: v.object({ name: v.string() }),
});

/** The type that servers, sockets and clients are given. */
export type DemoContract = typeof contract;
/** A message as everybody in the room gets it. */
export type ChatMessage = v.InferOutput<typeof chatMessage>;
/** The figures of one second. */
export type Stats = v.InferOutput<typeof contract.definition.channels.stats>;
