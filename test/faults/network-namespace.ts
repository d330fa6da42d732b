import { execFileSync } from 'node:child_process';
import { afterTest } from '@socketcluster-ts/testkit';
import { TestRunner } from 'vitest';

/** A network of its own with one address, which is connected to ours by a cable. */
export interface NetworkNamespace {
  /** The address inside. */
  readonly host: string;
  /** What a command line is put behind in order to run inside. */
  readonly wrapper: readonly string[];
  /**
   * Lets the cable swallow every packet in both directions, or only those that come out or go in, and neither side is
   * told; or carry them again.
   */
  swallow(isSwallowing: boolean, way?: 'both' | 'in' | 'out'): void;
  /** The states of all TCP connections inside, as the kernel sees them: 'ESTAB', 'FIN-WAIT-1', … */
  connectionStates(): string[];
}

declare module 'vitest' {
  interface TaskMeta {
    /** Why the test cannot be run here. */
    leftOut?: string;
  }
}

/** Nobody has this address: what is sent to it arrives nowhere. */
const NOBODY = '02:00:00:00:00:01';
let count = 0;

/** Of the block for tests between networks (RFC 2544). */
const PREFIX = '198.18';

/**
 * Makes a network namespace for the current test, and takes it away with it. Where the system does not allow that, the
 * test ends without a verdict; the run counts and lists it.
 */
export function createNetworkNamespace(): NetworkNamespace {
  count += 1;
  const name = `faults-${process.pid}-${count}`;
  const [outside, inside] = [`fo${process.pid}-${count}`, `fi${process.pid}-${count}`];
  const subnet = `${PREFIX}.${(process.pid + count) % 256}`;
  const [ours, host] = [`${subnet}.1`, `${subnet}.2`];
  const wrapper = ['ip', 'netns', 'exec', name];
  const within = (...command: string[]): string => run('ip', 'netns', 'exec', name, ...command);
  try {
    run('ip', 'netns', 'add', name);
  } catch (error) {
    leaveOut(`no network namespaces here: ${String(error).split('\n', 1)[0]}`);
  }
  afterTest(() => run('ip', 'netns', 'del', name));
  run('ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
  run('ip', 'address', 'add', `${ours}/24`, 'dev', outside);
  run('ip', 'link', 'set', outside, 'up');
  within('ip', 'address', 'add', `${host}/24`, 'dev', inside);
  within('ip', 'link', 'set', inside, 'up');
  return {
    host,
    wrapper,
    swallow(isSwallowing, way = 'both') {
      const change = isSwallowing ? ['replace'] : ['del'];
      const wrong = isSwallowing ? ['lladdr', NOBODY, 'nud', 'permanent'] : [];
      if (way !== 'out') run('ip', 'neighbour', ...change, host, 'dev', outside, ...wrong);
      if (way !== 'in') within('ip', 'neighbour', ...change, ours, 'dev', inside, ...wrong);
    },
    connectionStates() {
      const lines = within('ss', '--tcp', '--all', '--numeric', '--no-header').split('\n');
      return lines
        .map((line) => line.split(' ', 1)[0] ?? '')
        .filter((state) => state !== '' && state !== 'LISTEN');
    },
  };
}

function run(program: string, ...parameters: string[]): string {
  return execFileSync(program, parameters, { encoding: 'utf8', stdio: 'pipe', timeout: 10_000 });
}

function leaveOut(because: string): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error('A network namespace is made by a test');
  test.meta.leftOut = because;
  test.context.skip(because);
}
