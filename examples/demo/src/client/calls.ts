import { byId, element } from './element.js';
import { errorText } from './error-text.js';
import type { DemoSocket } from './socket.js';

const KEPT_ANSWERS = 20;

interface Answer {
  readonly text: string;
  readonly ms?: number;
  readonly failed: boolean;
}

/** Owns the panel that calls procedures: which one, with what, and the latest answers. */
export class Calls {
  readonly #socket: DemoSocket;
  readonly #form = byId('call-form', HTMLFormElement);
  readonly #answers = byId('answers');

  constructor(socket: DemoSocket) {
    this.#socket = socket;
  }

  /** Begins to answer the form. */
  start(): void {
    this.#form.addEventListener('change', () => this.#paint());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#call();
    });
    this.#paint();
  }

  get #fields(): Record<string, string> {
    const entries = [...new FormData(this.#form)].map(([name, value]) => [name, String(value)] as const);
    return Object.fromEntries(entries);
  }

  /** The fields of the other procedures are disabled too, so that they are neither validated nor sent. */
  #paint(): void {
    const { procedure } = this.#fields;
    for (const fields of this.#form.querySelectorAll<HTMLElement>('.call-fields')) {
      fields.hidden = fields.dataset['for'] !== procedure;
      for (const input of fields.querySelectorAll('input')) input.disabled = fields.hidden;
    }
  }

  /** What the form says: how it is written in a program, and the call itself. */
  #chosen(): { request: string; invoke: () => Promise<unknown> } {
    const { procedure, a, b, sides } = this.#fields;
    switch (procedure) {
      case 'add': {
        const data = { a: Number(a), b: Number(b) };
        return { request: `'add', ${written(data)}`, invoke: () => this.#socket.invoke('add', data) };
      }
      case 'rollDice': {
        const data = { sides: Number(sides) };
        return {
          request: `'rollDice', ${written(data)}`,
          invoke: () => this.#socket.invoke('rollDice', data),
        };
      }
      case 'whoAmI':
        return { request: `'whoAmI'`, invoke: () => this.#socket.invoke('whoAmI') };
      default:
        return { request: `'serverTime'`, invoke: () => this.#socket.invoke('serverTime') };
    }
  }

  async #call(): Promise<void> {
    const { request, invoke } = this.#chosen();
    if (this.#socket.state !== 'open') {
      this.#show(request, { text: 'There is no connection to the server.', failed: true });
      return;
    }
    const startedAt = performance.now();
    try {
      const answer = await invoke();
      this.#show(request, { text: written(answer), ms: performance.now() - startedAt, failed: false });
    } catch (error) {
      this.#show(request, { text: errorText(error), ms: performance.now() - startedAt, failed: true });
    }
  }

  #show(request: string, { text, ms, failed }: Answer): void {
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

/** Gives a value as one would write it in a program. */
function written(value: unknown): string {
  if (value === undefined) return 'undefined';
  const json = JSON.stringify(value, null, 1).replaceAll(/\n\s*/gu, ' ');
  return json.replaceAll(/"([A-Za-z_]\w*)": /gu, '$1: ');
}
