import { afterTest } from '@socketcluster-ts/testkit';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

const DEADLINE_MS = 15_000;

/** One browser profile: its tabs are what a person has open side by side. */
export interface Profile {
  /** Opens the demo in one more tab and resolves when it is connected. */
  open(url: string): Promise<DemoTab>;
  /** Runs a function in every tab before anything of the page. */
  beforeLoad(script: () => void): Promise<unknown>;
  /** Takes the network from all tabs, or gives it back. */
  setOffline(isOffline: boolean): Promise<void>;
  /** From now on a failure to reach the server is no fault of the page. */
  expectServerAway(): void;
}

/** Gives a fresh profile; when the test is over it is closed, and the test fails if a tab reported any problem. */
export async function openProfile(browser: Browser, options: BrowserContextOptions = {}): Promise<Profile> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(DEADLINE_MS);
  const problems: string[] = [];
  let isServerAway = false;
  afterTest(async () => {
    await context.close();
    expect(problems, 'console errors, warnings and uncaught errors of the page').toEqual([]);
  });
  return {
    async open(url) {
      const page = await context.newPage();
      page.on('pageerror', (error) => problems.push(String(error.stack)));
      page.on('console', (message) => {
        if (message.type() !== 'error' && message.type() !== 'warning') return;
        // Attempts to reconnect, and what the browser was still fetching when the server went.
        if (isServerAway && message.text().includes('net::ERR_')) return;
        problems.push(message.text());
      });
      await page.goto(url);
      const tab = new DemoTab(page);
      await tab.connected();
      return tab;
    },
    beforeLoad: (script) => context.addInitScript(script),
    setOffline(offline) {
      isServerAway = true;
      return context.setOffline(offline);
    },
    expectServerAway() {
      isServerAway = true;
    },
  };
}

/** Owns one tab of the demo; speaks of what a person does and sees there. Every wait has a deadline. */
export class DemoTab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Resolves when the page says that it is connected and has joined its room. */
  async connected(): Promise<void> {
    await this.page.locator('#connection[data-state="open"]').waitFor();
  }

  /** Resolves when the open room takes messages. */
  async joined(): Promise<void> {
    await this.page.locator('#chat[data-state="joined"]').waitFor();
    await this.page.locator('#send:enabled').waitFor();
  }

  /** Writes a message and sends it with the Enter key, once the room is joined. */
  async say(text: string): Promise<void> {
    await this.joined();
    await this.write(text);
  }

  /** Writes a message and sends it with the Enter key, connected or not. */
  async write(text: string): Promise<void> {
    await this.page.getByLabel('Message', { exact: true }).fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Resolves with the message that has exactly this text, once it is shown. */
  async message(text: string): Promise<Locator> {
    const message = this.page.locator('#messages .message').filter({
      has: this.page.getByText(text, { exact: true }),
    });
    await message.waitFor();
    return message;
  }

  /** Resolves with the unsent message of this text, once it is shown with this note. */
  async unsent(text: string, note: string): Promise<Locator> {
    const draft = this.page
      .locator('#outbox .message')
      .filter({ has: this.page.getByText(text, { exact: true }) });
    await draft.getByText(note).waitFor();
    return draft;
  }

  /** Resolves when nothing waits to be sent. */
  async allSent(): Promise<void> {
    await this.page.locator('#outbox .message').first().waitFor({ state: 'detached' });
  }

  /** Resolves when the header shows who this tab is. */
  async isShownAs(name: string): Promise<void> {
    await this.page.locator('#identity-name').getByText(name, { exact: true }).waitFor();
  }

  /** Gives the guest of this tab another name. */
  async takeNickname(nickname: string): Promise<void> {
    await this.page.locator('#identity').click();
    await this.page.getByLabel('Nickname').fill(nickname);
    await this.page.getByRole('button', { name: 'Save' }).click();
    await this.isShownAs(nickname);
  }

  /** Fills in the login form and submits it; whether it worked is for the test to see. `onlyHere` keeps the login in this tab. */
  async submitLogin(name: string, password: string, onlyHere: boolean = false): Promise<void> {
    await this.page.locator('#log-in').click();
    await this.page.getByLabel('Name', { exact: true }).fill(name);
    await this.page.getByLabel('Password').fill(password);
    if (onlyHere) await this.page.getByLabel('Only in this tab').check();
    await this.page.getByLabel('Password').press('Enter');
  }

  /** Logs in and resolves when the header shows it. */
  async logIn(name: string, onlyHere: boolean = false): Promise<void> {
    await this.submitLogin(name, 'demo', onlyHere);
    await this.isShownAs(name);
    await this.page.locator('#account').waitFor({ state: 'hidden' });
  }

  /** Chooses one of the rooms in the list. */
  async enterRoom(name: string): Promise<void> {
    await this.page.locator(`.room[data-room="${name}"]`).click();
    await this.page.locator('#room-title').getByText(`# ${name}`).waitFor({ state: 'attached' });
  }

  /** Calls the procedure that is labelled so and resolves with the newest answer's parts. */
  async call(label: string): Promise<{ request: string; answer: string; time: string }> {
    await this.page.getByRole('radio', { name: label }).check();
    const answers = this.page.locator('.answer');
    const before = await answers.count();
    await this.page.getByRole('button', { name: 'Call', exact: true }).click();
    await answers.nth(before).waitFor({ state: 'attached' });
    const newest = answers.first();
    return {
      request: await newest.locator('.answer-request').innerText(),
      answer: await newest.locator('.answer-value').innerText(),
      time: await newest.locator('.answer-ms').innerText(),
    };
  }
}
