// A deletion waits a few seconds for a change of mind; until then the message is hidden on this page alone.
import type { Room, TimelineMessage } from '@parley/client';
import { Emitter } from '@/app/emitter';
import { explain } from '@/app/errors';
import { t } from '@/i18n/i18n';
import { toast } from '@/ui/overlay';

class Deletions extends Emitter<{ change: void }> {
  #waiting = new Map<string, () => void>();

  constructor() {
    super();
    addEventListener('pagehide', () => {
      for (const now of this.#waiting.values()) now();
    });
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  begin(room: Room, { id }: TimelineMessage): void {
    if (this.has(id)) return;
    const now = () => void room.delete(id)
      .catch((error) => toast(explain(error)))
      .finally(() => this.#end(id));
    this.#waiting.set(id, now);
    this.emit('change', undefined);
    toast(t('messageDeleted'), { action: { name: t('undo'), run: () => this.#end(id) }, expired: now });
  }

  #end(id: string): void {
    this.#waiting.delete(id);
    this.emit('change', undefined);
  }
}

export const deletions = new Deletions();
