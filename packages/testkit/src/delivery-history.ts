import type { FailedPublish, Stamp } from './delivery-verdict.js';

/** Who sends, and what. */
export interface Publisher {
  sent: number;
  readonly messages: Map<number, Message>;
  /** When the newest message that was acknowledged was sent. */
  servedUpTo: number;
  /** Where it has published. */
  readonly channels: Set<string>;
  isRetired: boolean;
}

/** A subscriber and a channel that it wants, or once wanted. */
export interface Interest {
  readonly subscriber: string;
  readonly channel: string;
  isWanted: boolean;
  session: Session | undefined;
  endedAt: number;
  /** The highest number that was delivered, by publisher. */
  readonly highest: Map<string, number>;
  /** When the newest message that arrived here was sent. */
  servedUpTo: number;
  /** The same by publisher. */
  readonly servedBy: Map<string, number>;
}

/** A time in which a subscriber was subscribed without a break. */
export interface Session {
  readonly interest: Interest;
  closedAt: number | undefined;
  readonly highest: Map<string, number>;
}

/** What was sent, and who has it. */
export interface Message extends Stamp {
  readonly channel: string;
  readonly sentAt: number;
  state: 'pending' | 'acknowledged' | FailedPublish;
  endedAt: number;
  /** Open when it was sent, open still, and without it. */
  readonly awaited: Set<Session>;
  /** Open when it was sent, closed since, and without it. */
  readonly interrupted: Set<Session>;
  /** Wanted the channel when it was sent, and had no subscription. */
  readonly away: Set<Interest>;
  readonly reached: Set<Interest>;
  /** Subscribed when it was sent, without it, and told of a gap since; with the time of that. */
  readonly gaps: Map<Interest, number>;
}

/** Whether something later of the same publisher arrived by that session: order is kept, so this one never will. */
export function isOvertaken({ publisher, number }: Stamp, { highest }: Session): boolean {
  return (highest.get(publisher) ?? 0) > number;
}

/** Takes the session of that interest out of a set. */
export function takeSession(sessions: Set<Session>, interest: Interest): Session | undefined {
  for (const session of sessions) {
    if (session.interest !== interest) continue;
    sessions.delete(session);
    return session;
  }
  return undefined;
}
