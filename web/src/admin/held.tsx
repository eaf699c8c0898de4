// Messages that a word list holds until somebody has looked at them.
import type { HeldMessage } from '@parley/client';
import { useState } from 'preact/hooks';
import { client } from '@/app/client';
import { explain } from '@/app/errors';
import { clock, dayText } from '@/i18n/dates';
import { t } from '@/i18n/i18n';
import { nameOf, titleOf } from '@/people/title';
import { Button } from '@/ui/button';
import { toast } from '@/ui/overlay';
import { List } from './list';
import { usePaged } from './paged';

const PAGE = 50;

export function Held() {
  const list = usePaged(async (_, cursor) => {
    const page = await client.call('GET /v1/admin/held', { query: { limit: PAGE, ...(cursor && { cursor }) } });
    return { items: page.held, next: page.next };
  });
  return (
    <List list={list} empty={t('adminNothingHeld')}>
      <ul class="admin-rows">
        {list.items.map((held) => <HeldRow key={held.id} held={held} done={list.again} />)}
      </ul>
    </List>
  );
}

function HeldRow({ held, done }: { held: HeldMessage; done: () => void }) {
  const [busy, setBusy] = useState(false);
  const decide = async (what: 'approve' | 'reject') => {
    setBusy(true);
    const path = { room_id: held.room_id, held_id: held.id };
    try {
      if (what === 'approve') await client.call('POST /v1/rooms/{room_id}/held/{held_id}/approve', { path });
      else await client.call('POST /v1/rooms/{room_id}/held/{held_id}/reject', { path });
      toast(what === 'approve' ? t('adminApproved') : t('adminRejected'));
      done();
    } catch (error) {
      toast(explain(error));
      setBusy(false);
    }
  };
  return (
    <li class="held">
      <div class="grow">
        <p class="hint" dir="auto">{nameOf(held.user_id)} · {titleOf(client.room(held.room_id)) || held.room_id}
          {' · '}{dayText(held.created_at)}, {clock(held.created_at)}</p>
        <p class="held-text" dir="auto">{held.content || t('attachment')}</p>
        <p class="hint">{t('adminHeldFor')} {held.words.map((word) => <mark key={word} dir="auto">{word}</mark>)}</p>
      </div>
      <div class="held-actions">
        <Button kind="primary" class="small" disabled={busy} onClick={() => void decide('approve')}>{t('adminApprove')}</Button>
        <Button kind="danger-text" class="small" disabled={busy} onClick={() => void decide('reject')}>{t('adminReject')}</Button>
      </div>
    </li>
  );
}
