interface Described {
  readonly name?: string;
  readonly message?: string;
  readonly delivery?: string;
  readonly issues?: readonly { readonly message?: string }[];
}

/**
 * Gives what to tell a person about a failed call. Refusals of the server and the rules of the contract are written for
 * people already.
 */
export function errorText(error: unknown): string {
  const { name, message, delivery, issues } = (error ?? {}) as Described;
  if (name === 'InvalidDataError') return issues?.[0]?.message ?? 'That is not what the server takes.';
  if (name === 'BadConnectionError' || name === 'TimeoutError') {
    if (delivery === 'not-sent') return 'There was no connection to the server.';
    return name === 'TimeoutError'
      ? 'The server did not answer in time.'
      : 'The connection was lost before the server answered.';
  }
  return message || 'Something went wrong.';
}
