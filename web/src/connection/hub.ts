// One connection to the server for all tabs of a user. Each tab has a link that behaves like a socket of its own; what
// the server tells one connection once is given to every link that has to hear of it. Runs in a SharedWorker.

/** What a link sends to its tab. */
export type Down = { kind: 'text'; text: string } | { kind: 'closed'; code: number };
/** What a tab begins with. `lock` is held by the tab as long as it lives. */
export interface Opening {
  kind: 'open';
  user: string;
  url: string;
  protocols: string[];
  lock: string;
}
export type Up = Opening | { kind: 'text'; text: string } | { kind: 'close' };

interface Frame {
  op: string;
  ref?: string;
  room_id?: string;
  id?: string;
  since?: string;
  message_id?: string;
  user_id?: string;
  [field: string]: unknown;
}

interface Followed {
  links: Set<Link>;
  lastId: string | null;
}

function isNewer(a: string, b: string | null): boolean {
  return !b || a.length > b.length || (a.length === b.length && a > b);
}

export class Link {
  constructor(readonly number: number, readonly down: (message: Down) => void) {}

  give(frame: Frame): void {
    this.down({ kind: 'text', text: JSON.stringify(frame) });
  }
}

export class Upstream {
  #ws: WebSocket;
  #links = new Set<Link>();
  #rooms = new Map<string, Followed>();
  #welcome: Frame | null = null;

  constructor(url: string, protocols: string[], readonly ended: () => void) {
    this.#ws = new WebSocket(url, protocols);
    this.#ws.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)) as Frame);
    this.#ws.onclose = ({ code }) => this.#closed(code);
  }

  join(link: Link): void {
    this.#links.add(link);
    if (this.#welcome) link.give(this.#welcome);
  }

  leave(link: Link): void {
    if (!this.#links.delete(link)) return;
    if (!this.#links.size) {
      this.#ws.onclose = null;
      this.#ws.close(1000);
      this.ended();
      return;
    }
    for (const id of [...this.#rooms.keys()]) this.#unfollow(link, id, true);
  }

  /** A frame of a tab. */
  take(link: Link, text: string): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    const frame = JSON.parse(text) as Frame;
    const { op, room_id = '' } = frame;
    if (frame.ref) frame.ref = `${link.number}.${frame.ref}`;
    if (op === 'subscribe') this.#follow(link, frame);
    if (op === 'unsubscribe' && !this.#unfollow(link, room_id, false)) return;
    if (op === 'read') {
      const receipt = { op: 'receipt', room_id, user_id: String(this.#welcome?.user_id), message_id: frame.message_id! };
      this.#others(link, receipt);
    }
    this.#ws.send(JSON.stringify(frame));
  }

  // Somebody else follows it: what they may not have heard while the server reads must come with the answer.
  #follow(link: Link, frame: Frame): void {
    const known = this.#rooms.get(frame.room_id!) ?? { links: new Set(), lastId: null };
    this.#rooms.set(frame.room_id!, known);
    const others = known.links.size > (known.links.has(link) ? 1 : 0);
    known.links.add(link);
    if (others && known.lastId && (!frame.since || isNewer(frame.since, known.lastId))) frame.since = known.lastId;
  }

  /** True when nobody follows it any more. */
  #unfollow(link: Link, roomId: string, tell: boolean): boolean {
    const known = this.#rooms.get(roomId);
    if (!known?.links.delete(link) || known.links.size) return false;
    this.#rooms.delete(roomId);
    if (tell && this.#ws.readyState === WebSocket.OPEN) {
      this.#ws.send(JSON.stringify({ op: 'unsubscribe', room_id: roomId }));
    }
    return true;
  }

  #receive(frame: Frame): void {
    const { ref } = frame;
    if (frame.op === 'welcome') this.#welcome = frame;
    if (!ref) {
      if (frame.id) this.#note(frame.room_id, frame.id);
      for (const link of this.#links) link.give(frame);
      return;
    }
    const [number, own] = ref.split('.', 2);
    const link = [...this.#links].find((each) => String(each.number) === number);
    link?.give({ ...frame, ref: own! });
    if (frame.op === 'sent') {
      const message = frame.message as { id: string };
      this.#note(frame.room_id, message.id);
      const { room_id = '', prev_id } = frame;
      this.#others(link, { op: 'message', room_id, id: message.id, prev_id, message });
    } else if (frame.op === 'subscribed') {
      for (const event of frame.events as Frame[]) {
        this.#note(frame.room_id, event.id!);
        this.#others(link, event);
      }
      if (frame.last_id) this.#note(frame.room_id, String(frame.last_id));
    }
  }

  #note(roomId: string | undefined, id: string): void {
    const known = this.#rooms.get(roomId ?? '');
    if (known && isNewer(id, known.lastId)) known.lastId = id;
  }

  #others(link: Link | undefined, frame: Frame): void {
    for (const each of this.#links) if (each !== link) each.give(frame);
  }

  #closed(code: number): void {
    this.ended();
    for (const link of this.#links) link.down({ kind: 'closed', code });
    this.#links.clear();
  }
}
