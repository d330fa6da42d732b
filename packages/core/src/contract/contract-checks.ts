import type { UnknownNameError } from '../errors.js';
import type { Checked } from './check-data.js';

/** What an end needs of a contract at run time; every contract has it. */
export interface ContractChecks {
  /**
   * The name of a channel that is asked for by its name, or by its template and the parameters. A name is given back as
   * it is, known or not: who uses it is told.
   * @throws {InvalidArgumentsError} for an unknown template, and for wrong or missing parameters
   */
  channelName(name: string, parameters?: unknown): string;
  /** Why a name cannot be used; `undefined` for one that the contract has. */
  unknownName(kind: 'procedure' | 'event' | 'channel', name: string): UnknownNameError | undefined;
  /** What a peer gave as the argument of a call. */
  checkArgument(procedure: string, data: unknown): Checked | Promise<Checked>;
  /** What a call was answered with. */
  checkResult(procedure: string, data: unknown): Checked | Promise<Checked>;
  /** What was transmitted. */
  checkEvent(event: string, data: unknown): Checked | Promise<Checked>;
  /** What was published to a channel. */
  checkMessage(channelName: string, data: unknown): Checked | Promise<Checked>;
  /** The `data` that somebody subscribed with. A channel that declares no schema for it takes anything. */
  checkSubscription(channelName: string, data: unknown): Checked | Promise<Checked>;
  /** The claims of a token. `exp`, `iat` and `nbf` are not shown to the schema, and kept. */
  checkToken(claims: object): Checked | Promise<Checked>;
}
