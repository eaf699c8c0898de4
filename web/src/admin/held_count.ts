// How many messages wait for a moderator: shown at the tab, asked for again while the page is open.
import { client } from '@/app/client';
import { Emitter } from '@/app/emitter';
import { i18n } from '@/i18n/i18n';

const EVERY_MS = 15_000;
const MOST = 100;

class HeldCount extends Emitter<{ change: void }> {
  value = 0;

  get text(): string {
    return this.value < MOST ? i18n.number(this.value) : `${i18n.number(MOST - 1)}+`;
  }

  watch(): () => void {
    void this.ask();
    const timer = setInterval(() => document.hidden || void this.ask(), EVERY_MS);
    return () => clearInterval(timer);
  }

  async ask(): Promise<void> {
    const page = await client.call('GET /v1/admin/held', { query: { limit: MOST } }).catch(() => null);
    if (!page || page.held.length === this.value) return;
    this.value = page.held.length;
    this.emit('change', undefined);
  }
}

export const heldCount = new HeldCount();
