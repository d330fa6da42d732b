/** What a refused action is called on the wire; the page chooses its wording and its next step by it. */
export type RefusalName =
  | 'ForbiddenError'
  | 'LoginFailedError'
  | 'LoginRequiredError'
  | 'TooManyRequestsError';

/**
 * Owns the name and the sentence of one refusal.
 *
 * Both reach the browser, so `message` is written for the person who reads the page.
 */
export class Refusal extends Error {
  override readonly name: RefusalName;

  constructor(name: RefusalName, message: string) {
    super(message);
    this.name = name;
  }
}
