// What the page knows: my rooms, their messages, and people. No network, no DOM; tells its listener
// which part changed: 'rooms', 'messages', 'members' or 'typing'.
import { compareIds, isAbove } from './ids.js';
import { Timeline } from './timeline.js';

const typingShownMs = 5000;
const unreadMax = 1000;

export class Store {
  constructor(myId) {
    this.myId = myId;
    this.rooms = new Map();
    this.users = new Map(); // id -> {username, online, last_seen_at}
    this.onChange = () => {};
  }

  // --- rooms
  // Brings the list from the server in. What is known from live events is newer and stays.
  mergeRooms(list) {
    const present = new Set(list.map((r) => r.id));
    for (const id of this.rooms.keys()) if (!present.has(id)) this.rooms.delete(id);
    for (const item of list) this.addRoom(item);
    this.onChange('rooms');
  }

  addRoom(item) {
    const known = this.rooms.get(item.id);
    if (known) {
      for (const key of ['name', 'topic', 'visibility', 'my_role', 'member_count']) {
        if (item[key] !== undefined) known[key] = item[key];
      }
      if (item.last_read_id && isAbove(item.last_read_id, known.last_read_id)) {
        known.last_read_id = item.last_read_id; // read on another device while this page was away
        known.unread_count = item.unread_count;
      }
      return known;
    }
    const room = {
      last_message: null, unread_count: 0, last_read_id: null, dm_user_ids: [], ...item,
      lastEventId: item.last_message?.id ?? null,
      isLive: false,
      timeline: new Timeline(),
      members: new Map(), // user id -> {role, joined_at}
      membersCursor: undefined, // undefined: never loaded; null: all of them are here
      typing: new Map(),
      receipts: new Map(),
      loading: 0,
      replay: [],
    };
    this.rooms.set(room.id, room);
    return room;
  }

  removeRoom(id) {
    if (this.rooms.delete(id)) this.onChange('rooms');
  }

  sortedRooms() {
    const activity = (room) => room.last_message?.id ?? room.id;
    return [...this.rooms.values()].sort((a, b) => compareIds(activity(b), activity(a)));
  }

  roomTitle(room) {
    if (room.kind !== 'dm') return room.name;
    const other = this.dmPartner(room);
    return (other && this.users.get(other)?.username) || room.name || 'Direct message';
  }

  dmPartner(room) {
    const ids = room.dm_user_ids.length ? room.dm_user_ids : [...room.members.keys()];
    return ids.find((id) => id !== this.myId) ?? null;
  }

  unreadTotal() {
    let total = 0;
    for (const room of this.rooms.values()) total += room.unread_count;
    return total;
  }

  // --- messages
  // A page of history. Changes that came live while it was under way are applied again on top: each of
  // them can be applied twice.
  beginLoading(room) {
    room.loading += 1;
  }

  endLoading(room, page, { older }) {
    if (page) {
      for (const message of page.messages) room.timeline.merge(message);
      for (const event of room.replay) this.changeMessage(room, event);
      if (older || !room.timeline.loaded) {
        room.timeline.olderCursor = page.next;
        room.timeline.hasOlder = page.next !== null;
      }
      room.timeline.loaded = true;
    }
    room.loading -= 1;
    if (room.loading === 0) room.replay = [];
    this.onChange('messages', room.id);
  }

  addMessage(room, message) {
    const isNew = room.timeline.merge(message);
    if (!room.last_message || compareIds(message.id, room.last_message.id) >= 0) {
      room.last_message = message;
    }
    room.typing.delete(message.user_id);
    this.onChange('messages', room.id);
    this.onChange('rooms');
    return isNew;
  }

  changeMessage(room, event) {
    if (event.op === 'edited' && room.timeline.find(event.message.id)) room.timeline.merge(event.message);
    if (event.op === 'deleted') room.timeline.remove(event.message_id);
    if (event.op === 'reaction') room.timeline.react(event);
  }

  // One event of the room's log that was not applied before.
  apply(room, event) {
    if (event.op === 'message') {
      const { message } = event;
      this.addMessage(room, message);
      if (message.user_id !== this.myId && isAbove(message.id, room.last_read_id)) {
        room.unread_count = Math.min(room.unread_count + 1, unreadMax);
      }
    } else if (event.op === 'member') {
      this.changeMember(room, event);
    } else if (event.op === 'room') {
      if (event.room.deleted) return this.removeRoom(room.id);
      this.addRoom({ ...event.room, my_role: undefined });
      this.onChange('rooms');
    } else {
      if (room.loading > 0) room.replay.push(event);
      this.changeMessage(room, event);
      this.changeLastMessage(room, event);
      this.onChange('messages', room.id);
    }
  }

  changeLastMessage(room, event) {
    const last = room.last_message;
    if (event.op === 'edited' && event.message.id === last?.id) room.last_message = event.message;
    if (event.op === 'deleted' && event.message_id === last?.id) {
      room.last_message = { ...last, content: '', deleted: true };
    }
    if (event.op !== 'reaction') this.onChange('rooms');
  }

  markRead(room, messageId) {
    if (!isAbove(messageId, room.last_read_id)) return false;
    room.last_read_id = messageId;
    if (!room.last_message || compareIds(messageId, room.last_message.id) >= 0) {
      room.unread_count = 0;
    } else if (room.timeline.loaded) {
      room.unread_count = room.timeline.messages.filter(
        (m) => m.user_id !== this.myId && compareIds(m.id, messageId) > 0).length;
    }
    this.onChange('rooms');
    return true;
  }

  // --- people
  changeMember(room, { user_id: userId, action, role }) {
    if (action === 'left' || action === 'removed') {
      if (userId === this.myId) return this.removeRoom(room.id);
      if (room.members.delete(userId) || room.membersCursor !== null) room.member_count -= 1;
    } else {
      if (action === 'joined' && !room.members.has(userId)) room.member_count += 1;
      if (userId === this.myId) room.my_role = role;
      const known = room.members.get(userId);
      room.members.set(userId, { ...known, role });
    }
    this.onChange('members', room.id);
    this.onChange('rooms');
  }

  mergeMembers(room, page) {
    for (const m of page.members) {
      room.members.set(m.user_id, { role: m.role, joined_at: m.joined_at });
      this.users.set(m.user_id, {
        username: m.username, online: m.online, last_seen_at: m.last_seen_at,
      });
    }
    room.membersCursor = page.next;
    if (page.next === null) room.member_count = room.members.size;
    this.onChange('members', room.id);
    this.onChange('messages', room.id);
    this.onChange('rooms');
  }

  nameOf(userId) {
    return this.users.get(userId)?.username ?? `Member ${userId.slice(-4)}`;
  }

  setPresence({ user_id: userId, online, last_seen_at }) {
    const user = this.users.get(userId);
    if (!user) return;
    this.users.set(userId, { ...user, online, last_seen_at });
    this.onChange('members', null);
    this.onChange('rooms');
  }

  setTyping(room, userId) {
    if (userId === this.myId) return;
    room.typing.set(userId, Date.now() + typingShownMs);
    this.onChange('typing', room.id);
    setTimeout(() => this.onChange('typing', room.id), typingShownMs + 50);
  }

  whoTypes(room) {
    const now = Date.now();
    return [...room.typing].filter(([, until]) => until > now).map(([id]) => this.nameOf(id));
  }

  setReceipt(room, { user_id: userId, message_id: messageId }) {
    if (userId === this.myId) {
      this.markRead(room, messageId);
    } else if (isAbove(messageId, room.receipts.get(userId))) {
      room.receipts.set(userId, messageId);
      this.onChange('messages', room.id);
    }
  }
}
