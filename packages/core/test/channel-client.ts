import {
  AGChannel,
  addChannelMethods,
  type ChannelClient,
  type ChannelMethods,
  type ChannelOptions,
  type ChannelState,
  ChannelStreams,
} from '../src/index.js';

/** The channel family of method names. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- addChannelMethods() below puts the family on the prototype
export interface TestClient extends ChannelMethods {}

/** Owns channels as an exchange or client socket does, and a list of what its channels asked of it. */
export class TestClient implements ChannelClient {
  readonly channelStreams: ChannelStreams = new ChannelStreams();
  readonly asked: unknown[][] = [];
  readonly options: ChannelOptions = { waitForAuth: true, data: { a: 1 } };
  state: ChannelState = 'pending';
  unsubscribing: Promise<void> = Promise.resolve();

  channel<T = unknown>(name: string): AGChannel<T> {
    return new AGChannel<T>(name, this, this.channelStreams);
  }

  getChannelState(): ChannelState {
    return this.state;
  }

  getChannelOptions(): ChannelOptions {
    return this.options;
  }

  subscribe(...given: unknown[]): AGChannel {
    this.asked.push(['subscribe', ...given]);
    return this.channel('other');
  }

  unsubscribe(...given: unknown[]): Promise<void> {
    this.asked.push(['unsubscribe', ...given]);
    return this.unsubscribing;
  }

  isSubscribed(...given: unknown[]): boolean {
    this.asked.push(['isSubscribed', ...given]);
    return true;
  }

  handlerFailed(...given: unknown[]): void {
    this.asked.push(['handlerFailed', ...given]);
  }

  transmitPublish(...given: unknown[]): Promise<void> {
    this.asked.push(['transmitPublish', ...given]);
    return Promise.resolve();
  }

  invokePublish(...given: unknown[]): Promise<unknown> {
    this.asked.push(['invokePublish', ...given]);
    return Promise.resolve('acknowledged');
  }
}

addChannelMethods(TestClient);
