/** Gives the processor time of this process over the wall time since the call before; 1 is a whole core. */
export function measureCpu(): () => number {
  let usage = process.cpuUsage();
  let at = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(usage);
    const elapsedMs = performance.now() - at;
    usage = process.cpuUsage();
    at = performance.now();
    return elapsedMs > 0 ? (user + system) / 1000 / elapsedMs : 0;
  };
}
