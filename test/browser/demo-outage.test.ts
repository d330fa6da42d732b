import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../pairings/chromium/client-page.js';
import { startDemo } from './demo-process.js';
import { openProfile } from './demo-tab.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
});

describe('what is not acknowledged yet', () => {
  test('without a network it is shown as unsent, and is sent with the network', async () => {
    const { url } = await startDemo();
    const profile = await openProfile(browser);
    const other = await (await openProfile(browser)).open(url);
    const tab = await profile.open(url);
    await tab.joined();
    await profile.setOffline(true);
    await tab.page.getByText('You are offline.').first().waitFor();
    await tab.write('Written on a train.');
    await tab.unsent('Written on a train.', 'Waiting for the connection');
    expect(await other.page.getByText('Written on a train.').count()).toBe(0);

    await profile.setOffline(false);
    await tab.connected();
    await tab.message('Written on a train.');
    await tab.allSent();
    await tab.page.locator('#banner').waitFor({ state: 'hidden' });
    const heard = await other.message('Written on a train.');
    expect(await heard.count()).toBe(1);
  });

  test('what the server refuses says why, and can be tried again or deleted', async () => {
    const { url } = await startDemo();
    const tab = await (await openProfile(browser)).open(url);
    await tab.joined();
    // More than the server takes at once.
    await tab.page.evaluate(() => {
      const text = document.querySelector<HTMLTextAreaElement>('#composer-text');
      if (text === null) return;
      for (let n = 0; n < 80; n += 1) {
        text.value = `Message ${n}.`;
        text.form?.requestSubmit();
      }
    });
    const failed = tab.page.locator('#outbox .message[data-state="failed"]');
    await failed.first().getByText('Not sent. That was too fast.').waitFor();
    await expect.poll(() => tab.page.locator('#outbox .message[data-state="waiting"]').count()).toBe(0);
    const count = await failed.count();
    const last = (await failed.last().locator('.message-text').innerText()).trim();
    await failed.first().getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => failed.count()).toBe(count - 1);

    await tab.page.reload();
    await tab.joined();
    expect(await failed.count()).toBe(count - 1);
    await failed.last().getByRole('button', { name: 'Try again' }).click();
    await tab.message(last);
    await expect.poll(() => failed.count()).toBe(count - 2);
  });

  test('others see that somebody is writing, until the message is there', async () => {
    const { url } = await startDemo();
    const profile = await openProfile(browser);
    const first = await profile.open(url);
    const second = await profile.open(url);
    await first.takeNickname('Nora');
    await first.joined();
    await second.joined();
    await first.page.getByLabel('Message', { exact: true }).pressSequentially('Hm');
    await second.page.getByText('Nora is writing…').waitFor();
    await first.page.keyboard.press('Enter');
    await second.message('Hm');
    await second.page.getByText('Nora is writing…').waitFor({ state: 'detached' });
    expect(await first.page.locator('#typing').innerText()).toBe('');
  });
});

describe('a restart of the server', () => {
  test('both tabs say so, come back by themselves, stay logged in, and chat again', async () => {
    const server = await startDemo();
    const profile = await openProfile(browser);
    const first = await profile.open(server.url);
    const second = await profile.open(server.url);
    await first.logIn('Ada');
    await first.say('Before.');
    await second.message('Before.');

    profile.expectServerAway();
    expect(await server.stop()).toMatchObject({ code: 0, errors: '' });
    for (const { page } of [first, second]) {
      await page.getByText('The server is restarting.').first().waitFor();
      await page
        .locator('#connection-text')
        .getByText(/Reconnecting/)
        .waitFor();
      await page.getByText(/Next try in \d+ s\./).waitFor();
    }
    await first.write('Written while it was away.');
    await first.unsent('Written while it was away.', 'Waiting for the connection');
    await first.write('And more of it.');

    await startDemo(server.port);
    for (const tab of [first, second]) {
      await tab.connected();
      await tab.joined();
      await tab.page.locator('#banner').waitFor({ state: 'hidden' });
      await tab.message('Before.');
    }
    await first.isShownAs('Ada');
    const written = await second.message('Written while it was away.');
    expect(await written.locator('.badge').innerText()).toBe('member');
    await second.message('And more of it.');
    await first.allSent();
    const texts = await first.page.locator('#messages .message-text').allInnerTexts();
    expect(texts).toEqual(['Before.', 'Written while it was away.', 'And more of it.']);
    await second.say('And back.');
    await first.message('And back.');
  });

  test('a server that vanishes without a word is missed, and found again', async () => {
    const server = await startDemo();
    const profile = await openProfile(browser);
    const tab = await profile.open(server.url);
    profile.expectServerAway();
    await server.stop('SIGKILL');
    await tab.page.getByText('The connection was lost.').first().waitFor();
    await startDemo(server.port);
    await tab.connected();
    await tab.say('Here again.');
    await tab.message('Here again.');
  });
});
