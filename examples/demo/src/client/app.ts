import { Account } from './account.js';
import { Calls } from './calls.js';
import { Chat } from './chat.js';
import { ConnectionView } from './connection-view.js';
import { byId } from './element.js';
import { LoginStore } from './login-store.js';
import { Rooms } from './rooms.js';
import { openSocket } from './socket.js';
import { Traffic } from './traffic.js';

const logins = new LoginStore();
const socket = openSocket(logins);
new ConnectionView(socket).start();
new Calls(socket).start();
const rooms = new Rooms();
const chat = new Chat(socket, new Account(socket, logins));
const traffic = new Traffic(socket, (counts) => rooms.showCounts(counts));

chat.addEventListener('message', () => traffic.count());
chat.addEventListener('count', (event) => rooms.showCounts((event as CustomEvent).detail));
rooms.addEventListener('open', () => chat.join(rooms.current));
rooms.start();
document.body.dataset['ready'] = '';

// Followed as a link it would change the address, which names the room.
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('composer-text').focus();
});

// On a narrow window one part is shown at a time.
const views = document.querySelectorAll<HTMLElement>('.views button');
for (const button of views) {
  button.addEventListener('click', () => {
    document.body.dataset['view'] = button.dataset['view'];
    for (const other of views) other.setAttribute('aria-pressed', String(other === button));
  });
}
