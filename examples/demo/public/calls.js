import { byId, element } from './element.js';
import { errorText } from './error-text.js';

const KEPT_ANSWERS = 20;

/** Owns the panel that calls procedures: which one, with what, and the latest answers. */
export class Calls {
  #socket;
  #form = /** @type {HTMLFormElement} */ (byId('call-form'));
  #answers = byId('answers');

  /** @param {import('./socket.js').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /** Begins to answer the form. */
  start() {
    this.#form.addEventListener('change', () => this.#paint());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#call();
    });
    this.#paint();
  }

  get #procedure() {
    return String(new FormData(this.#form).get('procedure'));
  }

  /** The fields of the other procedures are disabled too, so that they are neither validated nor sent. */
  #paint() {
    for (const fields of this.#form.querySelectorAll('.call-fields')) {
      if (!(fields instanceof HTMLElement)) continue;
      fields.hidden = fields.dataset['for'] !== this.#procedure;
      for (const input of fields.querySelectorAll('input')) input.disabled = fields.hidden;
    }
  }

  async #call() {
    const procedure = this.#procedure;
    const { procedure: _name, ...fields } = Object.fromEntries(new FormData(this.#form));
    const numbers = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, Number(value)]));
    const data = Object.keys(numbers).length > 0 ? numbers : undefined;
    const request = data === undefined ? `'${procedure}'` : `'${procedure}', ${written(data)}`;
    if (this.#socket.state !== 'open') {
      this.#show(request, { text: 'There is no connection to the server.', failed: true });
      return;
    }
    const startedAt = performance.now();
    try {
      const answer = await this.#socket.invoke(procedure, data);
      this.#show(request, { text: written(answer), ms: performance.now() - startedAt, failed: false });
    } catch (error) {
      this.#show(request, { text: errorText(error), ms: performance.now() - startedAt, failed: true });
    }
  }

  /**
   * @param {string} request
   * @param {{text: string, ms?: number, failed: boolean}} answer
   */
  #show(request, { text, ms, failed }) {
    const time = ms === undefined ? '' : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
    const item = element(
      'li',
      { class: failed ? 'answer failed' : 'answer' },
      element('code', { class: 'answer-request' }, `invoke(${request})`),
      element('span', { class: 'answer-ms' }, time),
      element(failed ? 'span' : 'code', { class: 'answer-value' }, text),
    );
    this.#answers.prepend(item);
    while (this.#answers.children.length > KEPT_ANSWERS) this.#answers.lastElementChild?.remove();
    byId('answers-empty').hidden = true;
  }
}

/**
 * Gives a value as one would write it in a program.
 *
 * @param {unknown} value
 */
function written(value) {
  if (value === undefined) return 'undefined';
  const json = JSON.stringify(value, null, 1).replaceAll(/\n\s*/gu, ' ');
  return json.replaceAll(/"([A-Za-z_]\w*)": /gu, '$1: ');
}
