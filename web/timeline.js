// The messages of one room, in the order of their ids, each once.
import { compareIds } from './ids.js';

export class Timeline {
  constructor() {
    this.messages = []; // ascending; a changed message is a new object
    this.loaded = false;
    this.hasOlder = true;
    this.olderCursor = null;
  }

  find(id) {
    const at = this.position(id);
    return this.messages[at]?.id === id ? this.messages[at] : null;
  }

  get newest() {
    return this.messages.at(-1) ?? null;
  }

  // Puts a message in, or brings a known one up to date; an older state never replaces a newer one.
  merge(message) {
    const at = this.position(message.id);
    const known = this.messages[at]?.id === message.id ? this.messages[at] : null;
    if (!known) {
      this.messages.splice(at, 0, { ...message, reactions: reactionsFrom(message.reactions) });
      return true;
    }
    const state = isNewer(known, message) ? known : message;
    const reactions = message.reactions ? reactionsFrom(message.reactions) : known.reactions;
    this.messages[at] = { ...state, reactions };
    return false;
  }

  remove(id) {
    this.replace(id, (m) => ({ ...m, content: '', deleted: true, reactions: [] }));
  }

  react({ message_id: id, user_id: userId, emoji, added }) {
    this.replace(id, (message) => {
      const reactions = message.reactions.map((r) => ({ ...r, users: new Set(r.users) }));
      let entry = reactions.find((r) => r.emoji === emoji);
      if (added) {
        if (!entry) reactions.push((entry = { emoji, count: 0, users: new Set() }));
        if (!entry.users.has(userId)) entry.count += 1;
        entry.users.add(userId);
      } else if (entry && (entry.users.delete(userId) || entry.count > entry.users.size)) {
        entry.count -= 1;
      }
      return { ...message, reactions: reactions.filter((r) => r.count > 0) };
    });
  }

  replace(id, change) {
    const at = this.position(id);
    if (this.messages[at]?.id === id) this.messages[at] = change(this.messages[at]);
  }

  position(id) {
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareIds(this.messages[middle].id, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function reactionsFrom(list = []) {
  return list.map((r) => ({ emoji: r.emoji, count: r.count, users: new Set(r.user_ids) }));
}

function isNewer(a, b) {
  if (Boolean(a.deleted) !== Boolean(b.deleted)) return Boolean(a.deleted);
  return (a.edited_at ?? '') > (b.edited_at ?? '');
}
