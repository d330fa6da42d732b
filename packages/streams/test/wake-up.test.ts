import { describe, expect, it } from 'vitest';
import { type Sleeper, wakeSoon } from '../src/wake-up.js';
import { microtask } from './turn.js';

describe('wakeSoon()', () => {
  it('wakes in the next microtask, not at once, in the order of the calls', async () => {
    const woken: string[] = [];
    const sleeper = (name: string): Sleeper => ({ wake: () => woken.push(name) });
    wakeSoon(sleeper('a'));
    wakeSoon(sleeper('b'));
    expect(woken).toEqual([]);
    await microtask();
    expect(woken).toEqual(['a', 'b']);
  });

  it('wakes whoever falls asleep during a wake-up one microtask later', async () => {
    const woken: string[] = [];
    wakeSoon({
      wake() {
        woken.push('outer');
        wakeSoon({ wake: () => woken.push('inner') });
      },
    });
    await microtask();
    expect(woken).toEqual(['outer']);
    await microtask();
    expect(woken).toEqual(['outer', 'inner']);
  });
});
