// What an erasure has removed, as the server attests it.
import type { CallAnswer } from '@parley/client';
import { useEffect } from 'preact/hooks';
import { copy } from '@/account/settings';
import { client } from '@/app/client';
import { i18n, t } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { useAsked } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { overlay } from '@/ui/overlay';
import { a } from './words';

const EVERY_MS = 1_000;

export type Receipt = CallAnswer<'GET /v1/admin/erasures/{user_id}'>;

export function receiptOf(id: string): Promise<Receipt> {
  return client.call('GET /v1/admin/erasures/{user_id}', { path: { user_id: id } });
}

export function openReceipt(receipt: Receipt, done: () => void = () => {}): void {
  overlay.open(<ReceiptDialog key={`receipt-${receipt.user_id}`} first={receipt} done={done} />);
}

function ReceiptDialog({ first, done }: { first: Receipt; done: () => void }) {
  const { value, again } = useAsked(() => receiptOf(first.user_id), []);
  const receipt = value ?? first;
  const finished = receipt.state === 'done';
  useEffect(() => {
    if (finished) {
      done();
      return undefined;
    }
    const timer = setInterval(again, EVERY_MS);
    return () => clearInterval(timer);
  }, [finished]);
  const time = (at: string) => i18n.date(at, 'receipt', { dateStyle: 'medium', timeStyle: 'medium' });
  const { counts } = receipt;
  return (
    <Dialog title={a('receiptTitle')} onClose={overlay.close}>
      <p class={`receipt-state ${finished ? 'is-done' : ''}`} role="status">
        <Icon name={finished ? 'check' : 'clock'} size={18} />{finished ? a('receiptDone') : a('receiptRunning')}
      </p>
      <dl class="facts">
        <dt>{a('receiptAccount')}</dt><dd><code>{receipt.user_id}</code></dd>
        <dt>{a('receiptRequested')}</dt><dd>{time(receipt.requested_at)}</dd>
        <dt>{a('receiptFinished')}</dt><dd>{receipt.done_at ? time(receipt.done_at) : '–'}</dd>
        <dt>{a('receiptMessages')}</dt><dd>{i18n.number(counts.messages)}</dd>
        <dt>{a('receiptReactions')}</dt><dd>{i18n.number(counts.reactions)}</dd>
        <dt>{a('receiptRooms')}</dt><dd>{i18n.number(counts.rooms)}</dd>
        <dt>{a('receiptSessions')}</dt><dd>{i18n.number(counts.sessions)}</dd>
        <dt>{a('receiptHeld')}</dt><dd>{i18n.number(counts.held)}</dd>
        <dt>SHA-256</dt><dd><code>{receipt.sha256}</code></dd>
      </dl>
      <footer class="dialog-foot">
        <Button onClick={() => void copy(JSON.stringify(receipt, null, 2), t('copied'))}>{a('copyReceipt')}</Button>
        <Button kind="primary" data-focus onClick={overlay.close}>{t('close')}</Button>
      </footer>
    </Dialog>
  );
}
