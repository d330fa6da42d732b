import type { Schema } from './schema.js';

/** A procedure of either end. */
export interface ProcedureDefinition {
  /** What the caller gives. @default nothing: `undefined` */
  readonly argument?: Schema;
  /** What the answer holds. @default nothing: `undefined` */
  readonly result?: Schema;
}

/** A channel that says more than its messages. */
export interface ChannelDefinition {
  /** What is published. */
  readonly message: Schema;
  /** The `data` of the options that a client subscribes with. @default anything, unchecked */
  readonly subscribe?: Schema;
}

/** What `defineContract()` takes. */
export interface ContractDefinition {
  /** What either end can call at the other, by name. */
  readonly procedures?: Readonly<Record<string, ProcedureDefinition>>;
  /** What either end can transmit to the other, by name. */
  readonly events?: Readonly<Record<string, Schema>>;
  /**
   * The channels, by name or by template: `'room/:id'` stands for `room/1`, `room/2` and so on. A parameter is all that
   * stands between two slashes.
   */
  readonly channels?: Readonly<Record<string, Schema | ChannelDefinition>>;
  /**
   * The claims of the token, without `exp`, `iat` and `nbf`, which the library sets and checks itself.
   * @default any claims
   */
  readonly token?: Schema<object>;
}
