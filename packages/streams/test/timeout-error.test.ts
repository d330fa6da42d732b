import { TimeoutError } from '@socketcluster-ts/streams';
import { describe, expect, it } from 'vitest';

describe('TimeoutError', () => {
  it('is an Error with a name and a message', () => {
    const error = new TimeoutError('Too slow');
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('TimeoutError');
    expect(error.message).toBe('Too slow');
    expect(String(error)).toBe('TimeoutError: Too slow');
  });

  it('shows name and message, but not the stack, to code that copies its properties', () => {
    const copy = Object.assign({}, new TimeoutError('Too slow'));
    expect(copy).toEqual({ name: 'TimeoutError', message: 'Too slow' });
  });

  it('has a stack that begins with its own name', () => {
    expect(new TimeoutError('Too slow').stack).toMatch(/^TimeoutError: Too slow\n/);
  });

  it('has an empty message when none is given', () => {
    expect(Object.assign({}, new TimeoutError())).toEqual({ name: 'TimeoutError', message: '' });
  });
});
