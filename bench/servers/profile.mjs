/** A profile of exactly what is measured, for the tools of Chromium: `.cpuprofile` of the time, `.heapprofile` of the memory. */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const CPU_INTERVAL_MICROS = 200;
const HEAP_INTERVAL_BYTES = 4096;

const session = new Session();

/** @param {string} file its ending says what is profiled */
export async function begin(file) {
  session.connect();
  if (isHeap(file)) {
    await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES });
  } else {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_MICROS });
    await session.post('Profiler.start');
  }
}

/** @param {string} file */
export async function end(file) {
  const { profile } = await session.post(isHeap(file) ? 'HeapProfiler.stopSampling' : 'Profiler.stop');
  writeFileSync(file, JSON.stringify(profile));
}

function isHeap(file) {
  return file.endsWith('.heapprofile');
}
