// The page: puts the parts together, decides what is on the screen, and draws once a frame.
import { Api } from './api.js';
import { authView } from './auth_view.js';
import { ChatView } from './chat_view.js';
import { addMemberDialog, confirmDialog, createRoomDialog, directoryDialog, toast } from './dialogs.js';
import { h } from './dom.js';
import { explain, meansSignedOut } from './errors.js';
import { Live } from './live.js';
import { MembersView } from './members_view.js';
import { Outbox } from './outbox.js';
import { RoomsView } from './rooms_view.js';
import { Session } from './session.js';
import { Socket } from './socket.js';
import { Store } from './store.js';

const root = document.getElementById('app');
const announcer = document.getElementById('announcer');
const session = new Session();
const api = new Api(session);
let screen = null;

session.onRenewed = () => screen?.socket.renew();
session.onSignedOut = (error) => {
  if (!screen) return;
  screen.stop();
  screen = null;
  document.title = 'Parley';
  document.querySelectorAll('dialog').forEach((d) => d.close());
  session.user ? start() : showAuth(error ? explain(error) : null);
};

function showAuth(notice) {
  const view = authView({ api, notice, onSignedIn: start });
  root.replaceChildren(view);
  view.querySelector('input').focus();
}

function start() {
  screen = new Screen(session.user);
  root.replaceChildren(screen.root);
  screen.start();
}

class Screen {
  constructor(user) {
    this.user = user;
    this.contentMax = 4000;
    this.room = null;
    this.showsMembers = matchMedia('(min-width: 1100px)').matches;
    this.store = new Store(user.id);
    this.socket = new Socket({
      session,
      onFrame: (frame) => this.live.receive(frame),
      onState: () => this.renderBanner(),
      onReady: (welcome) => {
        this.contentMax = welcome.limits?.content || this.contentMax;
        this.live.connected();
        if (this.room) this.chat.load();
      },
    });
    this.outbox = new Outbox({
      userId: user.id, socket: this.socket,
      onSent: (answer) => this.live.sent(answer),
      onChange: () => this.draw(),
    });
    this.live = new Live({ api, store: this.store, socket: this.socket, outbox: this.outbox });
    this.live.onForeignMessage = (room, message) => this.announce(room, message);
    this.live.onRooms = () => {
      this.rooms.loaded = true;
      this.route();
    };
    this.store.onChange = () => this.draw();
    this.build();
    this.onHash = () => this.route();
    this.onFocus = () => this.draw();
    addEventListener('hashchange', this.onHash);
    addEventListener('focus', this.onFocus);
    this.bannerTimer = setInterval(() => this.renderBanner(), 1000);
  }

  build() {
    const { store, outbox, live, user } = this;
    const create = () => createRoomDialog({ create: async (fields) => this.go(await live.createRoom(fields)) });
    const directory = () => directoryDialog({
      search: (query, cursor) => api.directory(query, cursor),
      join: async (id) => this.go(await live.join(id)),
      isMine: (id) => store.rooms.has(id),
      enter: (id) => this.go(store.rooms.get(id)),
    });
    this.rooms = new RoomsView({
      store, user, onCreate: create, onDirectory: directory,
      onLogOut: () => confirmDialog({
        title: 'Log out?', text: outbox.entries.length
          ? 'Some messages are not sent yet. They will be sent when you log in here again.'
          : 'You can log in again at any time.', action: 'Log out',
        run: () => {
          this.socket.stop(); // its end is wanted, and no news
          return api.logOut().catch(() => {});
        },
      }),
    });
    this.chat = new ChatView({
      store, outbox, live, user, contentMax: () => this.contentMax, confirm: confirmDialog,
      onBack: () => { location.hash = ''; },
      onMembers: () => { this.showsMembers = !this.showsMembers; this.draw(); },
    });
    this.members = new MembersView({ store, actions: this.memberActions() });
    this.nothing = h('main', { class: 'chat nothing' },
      h('div', { class: 'empty' }, h('p', {}, 'Choose a room to read and write.'),
        h('button', { type: 'button', class: 'button', onclick: directory }, 'Find a public room')));
    this.banner = h('div', { class: 'banner', role: 'status', hidden: true });
    this.body = h('div', { class: 'columns' }, this.rooms.root, this.nothing);
    this.root = h('div', { class: 'app' }, this.banner, this.body);
  }

  memberActions() {
    const { live } = this;
    const loudly = (work) => work.catch((error) => toast(explain(error)));
    return {
      close: () => { this.showsMembers = false; this.draw(); },
      more: (room) => loudly(live.loadMembers(room)),
      message: (userId) => loudly(live.createRoom({ kind: 'dm', member_ids: [userId] }).then((room) => {
        if (!room.dm_user_ids.length) room.dm_user_ids = [this.user.id, userId];
        this.go(room);
      })),
      add: (room) => addMemberDialog({ add: (userId) => api.addMember(room.id, userId) }),
      remove: (room, person) => confirmDialog({
        title: `Remove ${person.name}?`, text: 'They will not see this room any more.', action: 'Remove',
        run: () => api.removeMember(room.id, person.id),
      }),
      leave: (room) => confirmDialog({
        title: 'Leave this room?', action: 'Leave',
        text: room.visibility === 'public' ? 'You can join again at any time.'
          : 'Somebody has to add you before you can come back.',
        run: async () => {
          this.leaving = room;
          await live.leave(room);
        },
      }),
    };
  }

  start() {
    this.draw();
    this.socket.start();
    // The list is wanted also where no socket gets through.
    this.live.reloadRooms().catch((error) => meansSignedOut(error) || toast(explain(error)));
  }

  stop() {
    this.socket.stop();
    this.live.stop();
    clearInterval(this.bannerTimer);
    removeEventListener('hashchange', this.onHash);
    removeEventListener('focus', this.onFocus);
    this.isStopped = true;
  }

  go(room) {
    if (matchMedia('(max-width: 1099px)').matches) this.showsMembers = false;
    const hash = `#/r/${room.id}`;
    if (location.hash === hash) this.route();
    else location.hash = hash;
  }

  route() {
    const id = location.hash.match(/^#\/r\/(\d+)$/)?.[1];
    const room = id ? this.store.rooms.get(id) ?? null : null;
    if (room !== this.room) {
      this.room = room;
      if (room) {
        this.render();
        this.chat.show(room);
      }
    }
    this.draw();
  }

  draw() {
    if (this.isScheduled || this.isStopped) return;
    this.isScheduled = true;
    // A hidden page gets no animation frames, but its title should count on.
    const later = document.hidden ? (f) => setTimeout(f, 200) : requestAnimationFrame;
    later(() => {
      this.isScheduled = false;
      if (!this.isStopped) this.render();
    });
  }

  render() {
    if (this.room && !this.store.rooms.has(this.room.id)) {
      if (this.leaving !== this.room) toast(`You are not in “${this.store.roomTitle(this.room)}” any more.`);
      this.room = null;
      location.hash = '';
    }
    const { room } = this;
    const columns = [this.rooms.root, room ? this.chat.root : this.nothing];
    if (room && this.showsMembers) columns.push(this.members.root);
    if (columns.some((c, i) => this.body.children[i] !== c) || this.body.children.length !== columns.length) {
      this.body.replaceChildren(...columns);
    }
    this.body.classList.toggle('has-room', Boolean(room));
    this.chat.membersButton.setAttribute('aria-expanded', String(this.showsMembers));
    this.rooms.render(room?.id);
    if (room && this.chat.room === room) {
      this.chat.render();
      if (this.showsMembers) this.members.render(room);
    }
    const unread = this.store.unreadTotal();
    document.title = `${unread ? `(${unread}) ` : ''}${room ? `${this.store.roomTitle(room)} · ` : ''}Parley`;
  }

  renderBanner() {
    const { state } = this.socket;
    const [text, action] = bannerOf(state, () => this.socket.retryNow());
    const isQuick = state.name === 'connecting' || (state.name === 'waiting' && state.failures <= 1);
    if (text) this.troubleSince ??= Date.now();
    else this.troubleSince = null;
    // A blink of the connection is nobody's business.
    const isShown = Boolean(text) && !(isQuick && Date.now() - this.troubleSince < 1500);
    const key = isShown ? text : '';
    if (this.bannerKey !== key) {
      this.bannerKey = key;
      this.banner.replaceChildren(...(isShown ? [text, action].filter(Boolean) : []));
      this.banner.hidden = !isShown;
    }
    if (state.name === 'stopped' && (state.code === 4500 || state.code === 4501)) {
      session.end({ code: state.code === 4500 ? 'unauthorized' : 'session_revoked' });
    }
  }

  announce(room, message) {
    if (room !== this.room) return;
    announcer.textContent = `${this.store.nameOf(message.user_id)}: ${message.content}`;
    // Said once; it must not outlive the message that somebody deletes.
    clearTimeout(this.announceTimer);
    this.announceTimer = setTimeout(() => { announcer.textContent = ''; }, 3000);
  }
}

function bannerOf(state, retry) {
  const button = (text) => h('button', { type: 'button', class: 'link', onclick: retry }, text);
  switch (state.name) {
    case 'connecting':
      return ['Connecting…', null];
    case 'waiting':
      return [`${navigator.onLine ? 'No connection.' : 'You are offline.'} What you write is kept and sent later. `,
        button('Try now')];
    case 'stopped':
      return [state.code === 4502
        ? 'You are connected in too many places. Close some windows, then connect again. '
        : 'The server ended the connection. ', button('Connect again')];
    default:
      return [null, null];
  }
}

session.user ? start() : showAuth(null);
