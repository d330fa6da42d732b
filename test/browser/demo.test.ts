import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../pairings/chromium/client-page.js';
import { startDemo } from './demo-process.js';
import { type DemoTab, openProfile, type Profile } from './demo-tab.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
});

async function openTwoTabs(): Promise<{ url: string; profile: Profile; first: DemoTab; second: DemoTab }> {
  const { url } = await startDemo();
  const profile = await openProfile(browser);
  return { url, profile, first: await profile.open(url), second: await profile.open(url) };
}

describe('the chat', () => {
  test('two tabs talk in both directions, each message with its author and its time', async () => {
    const { first, second } = await openTwoTabs();
    await first.takeNickname('Nora');
    await second.takeNickname('Omar');

    await first.say('Is anybody there?');
    const heard = await second.message('Is anybody there?');
    expect(await heard.locator('.message-name').innerText()).toBe('Nora');
    expect(await heard.locator('.badge').innerText()).toBe('guest');
    const sentAt = Date.parse((await heard.locator('time').getAttribute('datetime')) ?? '');
    expect(Math.abs(Date.now() - sentAt)).toBeLessThan(60_000);
    expect(await heard.getAttribute('class')).not.toContain('own');

    await second.say('I am.');
    const answer = await first.message('I am.');
    expect(await answer.locator('.message-name').innerText()).toBe('Omar');
    expect(await (await first.message('Is anybody there?')).getAttribute('class')).toContain('own');
    await first.page.locator('#here-text').getByText('2 here').waitFor();
  });

  test('a room has its own messages, and the address remembers it', async () => {
    const { first, second, profile, url } = await openTwoTabs();
    await first.page.getByLabel('Name of another room').fill('Team Tea');
    await first.page.keyboard.press('Enter');
    await first.say('Only for those who drink tea.');
    await second.say('Lobby talk.');
    await second.message('Lobby talk.');
    expect(new URL(first.page.url()).hash).toBe('#team-tea');

    const third = await profile.open(`${url}#team-tea`);
    await third.message('Only for those who drink tea.');
    await first.page.locator('#here-text').getByText('2 here').waitFor();
    expect(await first.page.getByText('Lobby talk.').count()).toBe(0);
    expect(await third.page.getByText('Lobby talk.').count()).toBe(0);

    await first.page.reload();
    await first.message('Only for those who drink tea.');
  });

  test('hostile text is shown as the text it is', async () => {
    const { first, second } = await openTwoTabs();
    const hostile = '<img src=x onerror="document.title=\'taken\'"><script>alert(1)</script>';
    await first.takeNickname('<b>Eve</b>');
    await first.say(hostile);
    const shown = await second.message(hostile);
    expect(await shown.locator('.message-name').innerText()).toBe('<b>Eve</b>');
    expect(await second.page.locator('.message :is(img, script, b)').count()).toBe(0);
    expect(await second.page.title()).not.toBe('taken');
  });

  test('a refused message is explained, and what was written stays in the field', async () => {
    const { first } = await openTwoTabs();
    const long = 'word '.repeat(120).trim();
    await first.say(long);
    await first.page.getByText('Not sent. A message has at most 500 characters.').first().waitFor();
    expect(await first.page.getByLabel('Message', { exact: true }).inputValue()).toBe(long);
    expect(await first.page.locator('.message').count()).toBe(0);
  });

  test('an empty room says so until the first message', async () => {
    const { first } = await openTwoTabs();
    await first.page.getByText('It is quiet here').waitFor();
    await first.say('Not any more.');
    await first.message('Not any more.');
    await first.page.getByText('It is quiet here').waitFor({ state: 'hidden' });
  });
});

describe('procedures and figures', () => {
  test('a call shows its request, its answer and its round-trip time', async () => {
    const { first } = await openTwoTabs();
    await first.page.getByRole('radio', { name: 'Add' }).check();
    await first.page.getByLabel('a', { exact: true }).fill('19');
    await first.page.getByLabel('b', { exact: true }).fill('23');
    const sum = await first.call('Add');
    expect(sum).toMatchObject({ request: "invoke('add', { a: 19, b: 23 })", answer: '42' });
    expect(sum.time).toMatch(/^\d+(\.\d)? ms$/);
    const time = await first.call('Time');
    expect(Math.abs(Date.now() - Date.parse(JSON.parse(time.answer)))).toBeLessThan(60_000);
  });

  test('a call that the server refuses shows the reason', async () => {
    const { first } = await openTwoTabs();
    await first.page.getByRole('radio', { name: 'Dice' }).check();
    await first.page.getByLabel('sides').fill('1');
    expect((await first.call('Dice')).answer).toBe('A die has 2 to 1000 sides.');
  });

  test('the chart follows the messages of the server and of each tab', async () => {
    const { first, second } = await openTwoTabs();
    await first.page.getByText('2 tabs connected').waitFor();
    await first.page.getByRole('button', { name: 'Send a burst' }).click();
    for (const { page } of [first, second]) {
      await page.locator('#figure-server').getByText(/[1-9]/).waitFor();
      await page.locator('#figure-tab').getByText(/[1-9]/).waitFor();
      await page.locator('#chart path.line.server').waitFor({ state: 'attached' });
    }
  });
});

describe('logging in and out', () => {
  test('a login survives a reload, signs the messages, and ends with the logout', async () => {
    const { first, second } = await openTwoTabs();
    await first.enterRoom('ideas');
    await second.enterRoom('ideas');
    await first.logIn('Ada');
    await first.page.reload();
    await first.isShownAs('Ada');
    await first.page.locator('#room-title').getByText('# ideas').waitFor();
    await first.say('Signed.');
    const signed = await second.message('Signed.');
    expect(await signed.locator('.message-name').innerText()).toBe('Ada');
    expect(await signed.locator('.badge').innerText()).toBe('member');

    await first.page.locator('#log-out').click();
    await first.page.locator('#log-in').waitFor();
    await first.page.reload();
    await first.connected();
    expect(await first.page.locator('#identity-name').innerText()).toMatch(/^guest-\w{4}$/);
    expect((await first.call('Who am I')).answer).toContain('"unauthenticated"');
  });

  test('tabs share a login: one logs in and all are in, one logs out and all are out', async () => {
    const { first, second, profile, url } = await openTwoTabs();
    await first.logIn('Ada');
    await second.isShownAs('Ada');
    await second.say('Signed in both.');
    expect(await (await first.message('Signed in both.')).getAttribute('class')).toContain('own');
    const third = await profile.open(url);
    await third.isShownAs('Ada');
    expect((await third.call('Who am I')).answer).toContain('name: "Ada"');

    await second.page.locator('#log-out').click();
    for (const tab of [first, second, third]) await tab.page.locator('#log-in').waitFor();
    await expect.poll(async () => (await first.call('Who am I')).answer).toContain('"unauthenticated"');
  });

  test('a tab can be somebody else, stays so over a reload, and can join the others again', async () => {
    const { first, second } = await openTwoTabs();
    await first.logIn('Ada');
    await second.isShownAs('Ada');
    await second.page.locator('#log-out').click();
    await first.page.locator('#log-in').waitFor();
    await second.logIn('Grace', true);
    await first.logIn('Ada');
    for (const tab of [first, second]) await tab.page.reload();
    await first.isShownAs('Ada');
    await second.isShownAs('Grace');

    await second.page.locator('#identity').click();
    await second.page.getByRole('button', { name: 'Use the login of the other tabs' }).click();
    await second.isShownAs('Ada');
    await first.page.reload();
    await first.isShownAs('Ada');
  });

  test('a nickname survives a reload', async () => {
    const { first } = await openTwoTabs();
    await first.takeNickname('Nora');
    await first.page.reload();
    await first.isShownAs('Nora');
  });

  test('a wrong password is explained, and the next attempt works', async () => {
    const { first } = await openTwoTabs();
    await first.submitLogin('Ada', 'letmein');
    await first.page.getByText('Wrong password.').waitFor();
    await first.page.getByLabel('Password').fill('demo');
    await first.page.keyboard.press('Enter');
    await first.isShownAs('Ada');
  });

  test('the room for members refuses guests, opens with the login, and closes with the logout', async () => {
    const { url, profile } = await openTwoTabs();
    const first = await profile.open(url);
    const second = await (await openProfile(browser)).open(url);
    await first.enterRoom('members');
    await first.page.getByText('This room is for members. Log in to join it.').waitFor();
    expect(await first.page.getByLabel('Message', { exact: true }).isDisabled()).toBe(true);

    await second.logIn('Grace');
    await second.enterRoom('members');
    await second.say('Among ourselves.');
    await second.message('Among ourselves.');
    expect(await first.page.getByText('Among ourselves.').count()).toBe(0);

    await first.logIn('Ada');
    await first.message('Among ourselves.');
    await first.page.reload();
    await first.message('Among ourselves.');
    await first.page.locator('#log-out').click();
    await first.page.getByText('You logged out. This room is for members.').waitFor();
    expect(await first.page.getByText('Among ourselves.').count()).toBe(0);
  });
});

describe('a window of the size of a phone', () => {
  test('nothing is wider than the window, and every control can be reached', async () => {
    const { url } = await startDemo();
    const profile = await openProfile(browser, {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    });
    const tab = await profile.open(url);
    const reached = new Set<string>();
    for (const view of ['Chat', 'Traffic', 'Procedures']) {
      await tab.page.locator('.views').getByRole('button', { name: view }).tap();
      expect(await widths(tab)).toEqual({ page: 390, window: 390 });
      for (const id of await reachableControls(tab)) reached.add(id);
    }
    await tab.page.locator('#log-in').tap();
    for (const id of await reachableControls(tab)) reached.add(id);
    const wanted = [
      'identity',
      'log-in',
      'room-name',
      'composer-text',
      'send',
      'burst',
      'call',
      'account-close',
    ];
    expect([...reached]).toEqual(
      expect.arrayContaining([...wanted, 'login-name', 'login-password', 'login-submit', 'nickname']),
    );

    await tab.page.locator('#account-close').tap();
    await tab.page.locator('.views').getByRole('button', { name: 'Chat' }).tap();
    await tab.say('From a small window, with a very long word: '.concat('o'.repeat(200)));
    await tab.page.locator('.message').waitFor();
    expect(await widths(tab)).toEqual({ page: 390, window: 390 });
  });
});

describe('the layout', () => {
  test.each([
    [1360, 820],
    [390, 844],
  ])(
    'nothing jumps in a window of %i by %i while the page loads and the connection goes',
    async (width, height) => {
      const server = await startDemo();
      const profile = await openProfile(browser, { viewport: { width, height } });
      await profile.beforeLoad(() => {
        const shifts: number[] = [];
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries())
            shifts.push((entry as PerformanceEntry & { value: number }).value);
        }).observe({ type: 'layout-shift', buffered: true });
        Object.assign(window, { shifts });
      });
      const tab = await profile.open(server.url);
      await tab.joined();
      profile.expectServerAway();
      await server.stop();
      await tab.page.locator('#banner').waitFor();
      const shifts = await tab.page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
      expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.005);
    },
  );
});

describe('without a mouse', () => {
  test('every control has a name, and the keyboard alone logs in and chats', async () => {
    const { first } = await openTwoTabs();
    const nameless = await first.page.evaluate(() =>
      [...document.querySelectorAll('button, input, textarea, a[href]')]
        .filter((control) => {
          const labels = (control as HTMLInputElement).labels ?? [];
          const texts = [
            control.ariaLabel,
            control.textContent,
            ...[...labels].map((label) => label.textContent),
          ];
          return texts.every((text) => (text ?? '').trim() === '');
        })
        .map((control) => control.outerHTML),
    );
    expect(nameless).toEqual([]);

    const { keyboard } = first.page;
    await first.page.locator('#log-in').focus();
    await keyboard.press('Enter');
    await keyboard.type('Ada');
    await keyboard.press('Tab');
    await keyboard.type('demo');
    await keyboard.press('Enter');
    await first.isShownAs('Ada');
    await first.page.getByRole('link', { name: 'Skip to the message box' }).focus();
    await keyboard.press('Enter');
    await keyboard.type('Typed.');
    await keyboard.press('Enter');
    await first.message('Typed.');
  });
});

async function widths({ page }: DemoTab): Promise<{ page: number; window: number }> {
  return page.evaluate(() => ({ page: document.documentElement.scrollWidth, window: window.innerWidth }));
}

/** The ids of the controls that lie within the window (after scrolling their own part to them) and take a tap. */
async function reachableControls({ page }: DemoTab): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, input, textarea')]
      .filter((control) => {
        control.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        const { left, right, top, bottom } = control.getBoundingClientRect();
        if (left < 0 || right > window.innerWidth || top < 0 || bottom > window.innerHeight) return false;
        const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        return hit !== null && (control.contains(hit) || hit.contains(control));
      })
      .map((control) => control.id),
  );
}
