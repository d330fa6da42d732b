import { MemoryEngine } from '@socketcluster-ts/testkit';
import { describeLink } from './link-conformance.js';

describeLink('In one process', () => {
  const engine = new MemoryEngine();
  return {
    link: () => engine.link(),
    stop: async () => engine.stop(),
    start: async () => engine.start(),
    pause: () => engine.pause(),
    resume: () => engine.resume(),
  };
});
