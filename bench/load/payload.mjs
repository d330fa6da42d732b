/** The data of messages: eight digits that number it, and a filling that depends on the number. */

const DIGITS = 8;
const VARIANTS = 16;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-';

/** Owns the texts of all messages of one size. */
export class Payloads {
  #fillings;

  /** @param {number} size bytes of the whole data */
  constructor(size) {
    this.#fillings = Array.from({ length: VARIANTS }, (_, variant) => {
      let filling = '';
      // Steps that share no factor with the length of the alphabet, so that every variant differs from the others everywhere.
      for (let index = variant; filling.length < size - DIGITS; index += 2 * variant + 1) {
        filling += ALPHABET[index % ALPHABET.length];
      }
      return filling;
    });
  }

  /** How many kinds of fillings there are; message `n` has kind `n % variants`. */
  get variants() {
    return VARIANTS;
  }

  /**
   * The data of message `number`.
   * @param {number} number
   */
  text(number) {
    return digits(number) + this.#fillings[number % VARIANTS];
  }

  /**
   * The number in the data, or -1 when the data is not exactly that of any message.
   * @param {unknown} data
   */
  numberIn(data) {
    if (typeof data !== 'string') return -1;
    const number = Number(data.slice(0, DIGITS));
    return Number.isInteger(number) && data === this.text(number) ? number : -1;
  }
}

/**
 * A number as the data has it.
 * @param {number} number
 */
export function digits(number) {
  return String(number).padStart(DIGITS, '0');
}
