import { spawn } from '@socketcluster-ts/core';
import type { BrokerEngine } from '../exchange/broker-engine.js';
import type { BrokerEvents } from '../exchange/simple-broker.js';

/** Told what happens at a broker. */
export interface BrokerFollower {
  /** It is ready; not called when it was before. */
  onReady(): void;
  onError(error: unknown): void;
  /** A channel has got its first subscriber. */
  onSubscribe(channel: string): void;
  /** A channel has lost its last subscriber. */
  onUnsubscribe(channel: string): void;
  /** Somebody has published at the broker itself. */
  onPublish(published: BrokerEvents['publish']): void;
}

/** Tells the follower what a broker emits, from now on. */
export function followBroker(broker: BrokerEngine, follower: BrokerFollower): void {
  const follow = (event: keyof BrokerEvents, take: (payload: never) => void): void =>
    spawn(
      async () => {
        for await (const payload of broker.listener(event)) take(payload as never);
      },
      (error) => follower.onError(error),
    );
  follow('error', ({ error }: BrokerEvents['error']) => follower.onError(error));
  follow('subscribe', ({ channel }: BrokerEvents['subscribe']) => follower.onSubscribe(channel));
  follow('unsubscribe', ({ channel }: BrokerEvents['unsubscribe']) => follower.onUnsubscribe(channel));
  follow('publish', (published: BrokerEvents['publish']) => follower.onPublish(published));
  if (broker.isReady) return;
  spawn(
    async () => {
      await broker.listener('ready').once();
      follower.onReady();
    },
    (error) => follower.onError(error),
  );
}
