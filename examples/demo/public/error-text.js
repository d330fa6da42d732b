/**
 * Gives what to tell a person about a failed call; refusals of the server are already written for people.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function errorText(error) {
  const { name, message } = /** @type {{name?: string, message?: string}} */ (error ?? {});
  if (name === 'BadConnectionError') return 'The connection was lost before the server answered.';
  if (name === 'TimeoutError') return 'The server did not answer in time.';
  return message || 'Something went wrong.';
}
