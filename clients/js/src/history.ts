// The messages of one room and the pages that they come in: the newest first, older ones as they are asked for.
import { asError } from './errors.js';
import type { MessagePage } from './generated/rest.js';
import { Timeline, type TimelineMessage } from './timeline.js';

export class History {
  /** Another one after `forget`: a page that was under way then is for none. */
  timeline = new Timeline();
  #newest: Promise<void> | null = null;
  #older: Promise<void> | null = null;

  constructor(
    readonly read: (query: { limit?: number; before?: string }) => Promise<MessagePage>,
    /** What a message of a page is shown as. */
    readonly shown: (message: TimelineMessage) => TimelineMessage,
    readonly changed: () => void,
  ) {}

  /** Events are to be put in: they come after the page that is there or under way. */
  get takes(): boolean {
    return this.timeline.loaded || this.#newest !== null;
  }

  /** Only while the room is followed: then what comes after the page comes as events, and there is no hole. */
  async loadNewest(): Promise<void> {
    if (!this.timeline.loaded) await (this.#newest ??= this.#loadNewest().finally(() => (this.#newest = null)));
  }

  async loadOlder(limit: number): Promise<void> {
    const { loaded, hasOlder } = this.timeline;
    if (loaded && hasOlder) await (this.#older ??= this.#loadOlder(limit).finally(() => (this.#older = null)));
  }

  forget(): void {
    this.timeline = new Timeline();
  }

  async #loadNewest(): Promise<void> {
    const { timeline } = this;
    timeline.beginPage();
    try {
      const page = await this.read({});
      if (timeline !== this.timeline) return;
      this.#end(page);
      timeline.loaded = true;
    } catch (thrown) {
      if (timeline === this.timeline) this.forget();
      throw asError(thrown);
    } finally {
      this.changed();
    }
  }

  async #loadOlder(limit: number): Promise<void> {
    const { timeline } = this;
    const before = timeline.messages[0]?.id;
    timeline.beginPage();
    const page = await this.read({ limit, ...(before && { before }) }).catch((error) => {
      timeline.endPage([]);
      throw error;
    });
    if (timeline !== this.timeline) return;
    // It was trimmed meanwhile: this page is not next to what is there.
    if (timeline.messages[0]?.id !== before) timeline.endPage([]);
    else this.#end(page);
    this.changed();
  }

  #end(page: MessagePage): void {
    this.timeline.endPage(page.messages.map(this.shown));
    this.timeline.hasOlder = page.next !== null;
  }
}
