import { byId, element, paintAvatar } from './element.js';
import { errorText } from './error-text.js';
import type { LoginStore } from './login-store.js';
import type { DemoSocket } from './socket.js';
import { toast } from './toast.js';

const DEMO_ACCOUNTS = ['Ada', 'Grace', 'Alan'];
const DEMO_PASSWORD = 'demo';
const NICKNAME_KEY = 'demo.nickname';
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Who this tab is: a member whose name the server vouches for, or a guest with a nickname. */
export interface Person {
  readonly name: string;
  readonly member: boolean;
}

/** Owns who this tab is, and the dialog in which that changes. Sends `change` when it did. */
export class Account extends EventTarget {
  readonly #socket: DemoSocket;
  readonly #logins: LoginStore;
  #nickname = readNickname();
  readonly #dialog = byId('account', HTMLDialogElement);
  readonly #nicknameInput = byId('nickname', HTMLInputElement);
  readonly #nameInput = byId('login-name', HTMLInputElement);
  readonly #passwordInput = byId('login-password', HTMLInputElement);
  readonly #ownInput = byId('login-own', HTMLInputElement);

  constructor(socket: DemoSocket, logins: LoginStore) {
    super();
    this.#socket = socket;
    this.#logins = logins;
    void socket.listener('connect').each(({ authError }) => {
      if (authError) toast('Your login is no longer valid. Please log in again.');
      this.#changed();
    });
    void socket.listener('authenticate').each(() => this.#changed());
    void socket.listener('deauthenticate').each(() => this.#changed());
    window.addEventListener('storage', ({ key, storageArea }) => {
      if (storageArea === localStorage && (key === null || key === socket.authTokenName)) void this.#follow();
    });
    this.#wireDialog();
    this.#paint();
  }

  /** Who this tab is now. */
  get person(): Person {
    const name = this.#socket.authState === 'authenticated' ? this.#socket.authToken?.name : undefined;
    return name === undefined ? { name: this.#nickname, member: false } : { name, member: true };
  }

  /** The name that goes along with a guest's messages. */
  get nickname(): string {
    return this.#nickname;
  }

  /** Opens the dialog. */
  open(focus: 'login' | 'nickname'): void {
    this.#nicknameInput.value = this.#nickname;
    this.#loginError('');
    this.#passwordInput.value = '';
    this.#ownInput.checked = this.#logins.isOwn;
    this.#paint();
    if (!this.#dialog.open) this.#dialog.showModal();
    if (!this.person.member) (focus === 'login' ? this.#nameInput : this.#nicknameInput).focus();
  }

  #wireDialog(): void {
    byId('identity').addEventListener('click', () => this.open('nickname'));
    byId('log-in').addEventListener('click', () => this.open('login'));
    byId('log-out').addEventListener('click', () => void this.#logOut());
    byId('share-login').addEventListener('click', () => void this.#share());
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

  #rename(text: string): void {
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

  async #logIn(): Promise<void> {
    const button = byId('login-submit', HTMLButtonElement);
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
    const wasOwn = this.#logins.isOwn;
    // Before the call: the token comes with the answer.
    this.#logins.isOwn = this.#ownInput.checked;
    try {
      const { name: memberName } = await this.#socket.invoke('login', {
        name,
        password: this.#passwordInput.value,
      });
      this.#dialog.close();
      toast(`Logged in as ${memberName}`);
    } catch (error) {
      this.#logins.isOwn = wasOwn;
      this.#loginError(errorText(error));
      this.#passwordInput.focus();
      this.#passwordInput.select();
    } finally {
      button.disabled = false;
    }
  }

  async #logOut(): Promise<void> {
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

  /** Another tab logged in or out, and this one shares the login. */
  async #follow(): Promise<void> {
    const token = this.#logins.sharedToken(this.#socket.authTokenName);
    this.#paint();
    if (this.#logins.isOwn || token === this.#socket.signedAuthToken) return;
    try {
      if (token === null) await this.#socket.deauthenticate();
      // Without a connection the token is shown when there is one.
      else if (this.#socket.state === 'open') await this.#socket.authenticate(token);
    } catch (error) {
      toast(errorText(error));
    }
  }

  /** Gives up the login of this tab, and is who the other tabs are. */
  async #share(): Promise<void> {
    this.#dialog.close();
    if (this.person.member) await this.#logOut();
    this.#logins.isOwn = false;
    await this.#follow();
  }

  #loginError(text: string): void {
    byId('login-error').textContent = text;
    this.#passwordInput.setAttribute('aria-invalid', String(text !== ''));
  }

  #changed(): void {
    this.#paint();
    this.dispatchEvent(new Event('change'));
  }

  #paint(): void {
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
    const { isOwn } = this.#logins;
    const canShare = isOwn && this.#logins.sharedToken(this.#socket.authTokenName) !== null;
    byId('share-login').hidden = !canShare;
    byId('member-scope').textContent = isOwn
      ? 'It is kept in this tab only: other tabs can be somebody else.'
      : 'All tabs of this browser share it, and a reload keeps it.';
    byId('member-name').textContent = name;
    paintAvatar(byId('member-avatar'), name);
    const expiry = this.#socket.authToken?.exp;
    byId('member-detail').textContent =
      expiry === undefined ? 'Logged in' : `Logged in until ${TIME.format(expiry * 1000)}`;
  }
}

function readNickname(): string {
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

function newNickname(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const picks = crypto.getRandomValues(new Uint8Array(4));
  return `guest-${[...picks].map((pick) => letters[pick % letters.length]).join('')}`;
}
