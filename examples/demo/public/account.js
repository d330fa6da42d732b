import { each } from './each.js';
import { byId, element, paintAvatar } from './element.js';
import { errorText } from './error-text.js';
import { toast } from './toast.js';

const DEMO_ACCOUNTS = ['Ada', 'Grace', 'Alan'];
const DEMO_PASSWORD = 'demo';
const NICKNAME_KEY = 'demo.nickname';
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/**
 * Who this tab is: a member whose name the server vouches for, or a guest with a nickname.
 *
 * @typedef {{name: string, member: boolean}} Person
 */

/** Owns who this tab is, and the dialog in which that changes. Sends `change` when it did. */
export class Account extends EventTarget {
  #socket;
  #nickname = readNickname();
  #dialog = /** @type {HTMLDialogElement} */ (byId('account'));
  #nicknameInput = /** @type {HTMLInputElement} */ (byId('nickname'));
  #nameInput = /** @type {HTMLInputElement} */ (byId('login-name'));
  #passwordInput = /** @type {HTMLInputElement} */ (byId('login-password'));

  /** @param {import('./socket.js').Socket} socket */
  constructor(socket) {
    super();
    this.#socket = socket;
    each(socket.listener('connect'), ({ authError }) => {
      if (authError) toast('Your login is no longer valid. Please log in again.');
      this.#changed();
    });
    each(socket.listener('authenticate'), () => this.#changed());
    each(socket.listener('deauthenticate'), () => this.#changed());
    this.#wireDialog();
    this.#paint();
  }

  /** @returns {Person} */
  get person() {
    const name = this.#socket.authState === 'authenticated' ? this.#socket.authToken?.name : undefined;
    return name === undefined ? { name: this.#nickname, member: false } : { name, member: true };
  }

  /** The name that goes along with a guest's messages. */
  get nickname() {
    return this.#nickname;
  }

  /**
   * Opens the dialog.
   *
   * @param {'login' | 'nickname'} focus
   */
  open(focus) {
    this.#nicknameInput.value = this.#nickname;
    this.#loginError('');
    this.#passwordInput.value = '';
    if (!this.#dialog.open) this.#dialog.showModal();
    if (!this.person.member) (focus === 'login' ? this.#nameInput : this.#nicknameInput).focus();
  }

  #wireDialog() {
    byId('identity').addEventListener('click', () => this.open('nickname'));
    byId('log-in').addEventListener('click', () => this.open('login'));
    byId('log-out').addEventListener('click', () => void this.#logOut());
    byId('member-log-out').addEventListener('click', () => void this.#logOut());
    byId('account-close').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    byId('nickname-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#rename(this.#nicknameInput.value);
    });
    byId('login-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#logIn();
    });
    for (const name of DEMO_ACCOUNTS) {
      const chip = element('button', { type: 'button', class: 'chip' }, name);
      chip.addEventListener('click', () => {
        this.#nameInput.value = name;
        this.#passwordInput.value = DEMO_PASSWORD;
        byId('login-submit').focus();
      });
      byId('demo-accounts').append(chip);
    }
  }

  /** @param {string} text */
  #rename(text) {
    const nickname = text.trim().replaceAll(/\s+/gu, ' ');
    if (nickname === '') return;
    this.#nickname = nickname;
    try {
      sessionStorage.setItem(NICKNAME_KEY, nickname);
    } catch {
      // Kept until the reload only.
    }
    this.#dialog.close();
    this.#changed();
    toast(`You are now ${nickname}`);
  }

  async #logIn() {
    const button = /** @type {HTMLButtonElement} */ (byId('login-submit'));
    const name = this.#nameInput.value.trim();
    if (name === '' || this.#passwordInput.value === '') {
      this.#loginError('Enter a name and the password.');
      (name === '' ? this.#nameInput : this.#passwordInput).focus();
      return;
    }
    if (this.#socket.state !== 'open') {
      this.#loginError('There is no connection to the server. Try again when it is back.');
      return;
    }
    button.disabled = true;
    this.#loginError('');
    try {
      const { name: memberName } = await this.#socket.invoke('login', {
        name,
        password: this.#passwordInput.value,
      });
      this.#dialog.close();
      toast(`Logged in as ${memberName}`);
    } catch (error) {
      this.#loginError(errorText(error));
      this.#passwordInput.focus();
      this.#passwordInput.select();
    } finally {
      button.disabled = false;
    }
  }

  async #logOut() {
    this.#dialog.close();
    try {
      if (this.#socket.state !== 'open') throw new Error('offline');
      await this.#socket.invoke('logout');
    } catch {
      // Without an answer the token is dropped on this side: whoever logs out must be out.
      await this.#socket.deauthenticate();
    }
    toast('Logged out');
  }

  /** @param {string} text */
  #loginError(text) {
    byId('login-error').textContent = text;
    this.#passwordInput.setAttribute('aria-invalid', String(text !== ''));
  }

  #changed() {
    this.#paint();
    this.dispatchEvent(new Event('change'));
  }

  #paint() {
    const { name, member } = this.person;
    byId('identity-name').textContent = name;
    byId('identity-badge').hidden = member;
    byId('identity').setAttribute('aria-label', `You are ${name}${member ? '' : ', a guest'}. Change`);
    byId('identity').dataset['member'] = String(member);
    paintAvatar(byId('identity-avatar'), name);
    byId('log-in').hidden = member;
    byId('log-out').hidden = !member;
    byId('account-guest').hidden = member;
    byId('account-member').hidden = !member;
    byId('account-title').textContent = member ? 'Your login' : 'Log in';
    byId('member-name').textContent = name;
    paintAvatar(byId('member-avatar'), name);
    const expiry = this.#socket.authToken?.exp;
    byId('member-detail').textContent =
      expiry === undefined ? 'Logged in' : `Logged in until ${TIME.format(expiry * 1000)}`;
  }
}

function readNickname() {
  try {
    const kept = sessionStorage.getItem(NICKNAME_KEY);
    if (kept !== null) return kept;
  } catch {
    return newNickname();
  }
  const nickname = newNickname();
  sessionStorage.setItem(NICKNAME_KEY, nickname);
  return nickname;
}

function newNickname() {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const picks = crypto.getRandomValues(new Uint8Array(4));
  return `guest-${[...picks].map((pick) => letters[pick % letters.length]).join('')}`;
}
