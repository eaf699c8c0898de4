// One open room: its head, the timeline, who is typing, and the place to write.
import { avatar, h, icon, iconButton } from './dom.js';
import { toast } from './dialogs.js';
import { explain } from './errors.js';
import { TimelineView } from './timeline_view.js';

const countFrom = 3600;

export class ChatView {
  constructor({ store, outbox, live, user, contentMax, confirm, onBack, onMembers }) {
    Object.assign(this, { store, live, contentMax, room: null, drafts: new Map() });
    this.title = h('h2', {});
    this.topic = h('p', { class: 'topic' });
    this.badge = h('span', { class: 'chat-icon' });
    this.membersButton = iconButton('people', 'Show or hide the member list', onMembers);
    this.timeline = new TimelineView({
      store, outbox,
      onOlder: () => this.loadOlder(),
      onBottom: () => this.readAll(),
      onRetryLoad: () => this.load(),
      actions: {
        myName: user.username,
        maxLength: contentMax,
        focusComposer: () => this.input.focus(),
        save: (message, text) => live.edit(message, text),
        react: (message, emoji, added) => live.react(message, emoji, added).catch((e) => toast(explain(e))),
        remove: (message) => confirm({
          title: 'Delete message?', text: 'It will be gone for everybody in the room.', action: 'Delete',
          run: () => live.remove(message),
        }),
        copy: (message) => navigator.clipboard?.writeText(message.content)
          .then(() => toast('Copied.')) ?? toast('This browser allows copying only on secure pages.'),
        retry: (entry) => outbox.retry(entry.nonce),
        discard: (entry) => outbox.discard(entry.nonce),
      },
    });
    this.typing = h('p', { class: 'typing', 'aria-live': 'polite' });
    this.count = h('span', { class: 'count hint' });
    this.input = h('textarea', {
      class: 'composer-input', rows: 1, 'aria-label': 'Message', oninput: () => this.typed(),
      onkeydown: (event) => this.key(event), enterkeyhint: 'send',
    });
    this.sendButton = h('button', { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send' }, icon('send'));
    this.composer = h('form', {
      class: 'composer', onsubmit: (event) => { event.preventDefault(); this.submit(); },
    }, this.input, this.count, this.sendButton);
    this.root = h('main', { class: 'chat' },
      h('header', { class: 'panel-head chat-head' },
        iconButton('back', 'Back to the rooms', onBack, { class: 'icon-button back' }),
        this.badge, h('div', { class: 'grow chat-title' }, this.title, this.topic), this.membersButton),
      this.timeline.root, this.typing, this.composer);
  }

  show(room) {
    if (this.room) this.drafts.set(this.room.id, this.input.value);
    this.room = room;
    this.input.value = this.drafts.get(room.id) ?? '';
    this.timeline.show(room);
    this.render();
    this.resize();
    if (matchMedia('(hover: hover)').matches) this.input.focus();
    this.load();
  }

  async load() {
    const { room } = this;
    this.timeline.loadError = null;
    try {
      await this.live.open(room);
    } catch (error) {
      if (this.room !== room || room.timeline.loaded) return;
      this.timeline.loadError = explain(error);
      this.timeline.render();
    }
  }

  async loadOlder() {
    const { room } = this;
    try {
      await this.live.loadOlder(room);
    } catch (error) {
      if (this.room !== room) return;
      this.timeline.loadError = explain(error);
      this.timeline.onRetryLoad = () => {
        this.timeline.loadError = null;
        this.timeline.render();
        this.loadOlder();
      };
      this.timeline.render();
    }
  }

  render() {
    const { room, store } = this;
    if (!room) return;
    const title = store.roomTitle(room);
    this.title.textContent = title;
    const partner = room.kind === 'dm' ? store.dmPartner(room) : null;
    const online = Boolean(partner && store.users.get(partner)?.online);
    this.topic.textContent = partner ? (online ? 'Online' : 'Offline')
      : room.topic || (room.member_count === 1 ? '1 member' : `${room.member_count} members`);
    const badge = JSON.stringify([room.id, title, online, room.visibility]);
    if (this.badgeKey !== badge) {
      this.badgeKey = badge;
      this.badge.replaceChildren(partner ? avatar(partner, title, { online })
        : icon(room.visibility === 'private' ? 'lock' : 'hash'));
    }
    this.input.placeholder = `Message ${title}`;
    this.timeline.render();
    this.renderTyping();
  }

  renderTyping() {
    const names = this.room ? this.store.whoTypes(this.room) : [];
    const text = names.length === 0 ? ''
      : names.length === 1 ? `${names[0]} is typing…`
        : names.length === 2 ? `${names[0]} and ${names[1]} are typing…` : 'Several people are typing…';
    if (this.typing.textContent !== text) this.typing.textContent = text;
  }

  readAll() {
    const { newest } = this.room.timeline;
    if (newest && !document.hidden && document.hasFocus()) this.live.markRead(this.room, newest.id);
  }

  typed() {
    this.resize();
    if (this.input.value.trim()) this.live.typing(this.room);
  }

  resize() {
    const { input } = this;
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, 200)}px`;
    const length = Array.from(input.value.trim()).length;
    const isLong = length > this.contentMax();
    this.count.textContent = length >= countFrom ? `${length} / ${this.contentMax()}` : '';
    this.count.classList.toggle('too-long', isLong);
    this.sendButton.disabled = length === 0 || isLong;
  }

  key(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    } else if (event.key === 'ArrowUp' && !this.input.value) {
      event.preventDefault();
      this.timeline.editLast();
    }
  }

  submit() {
    const text = this.input.value.trim();
    if (!text || Array.from(text).length > this.contentMax()) return;
    this.input.value = '';
    this.resize();
    this.timeline.newFrom = null;
    this.live.send(this.room, text);
    this.timeline.toBottom();
    this.input.focus();
  }
}
