// In place of a message's text while it is changed.
import type { Room, TimelineMessage } from '@parley/client';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { explain } from '@/app/errors';
import { t } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { CONTENT_MAX, lengthOf } from './limits';

export function Editor({ room, message, onDone }: { room: Room; message: TimelineMessage; onDone: () => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => {
    const { current } = area;
    current!.focus();
    current!.setSelectionRange(current!.value.length, current!.value.length);
  }, []);
  const save = async () => {
    const text = area.current!.value.trim();
    if (!text || text === message.content) return onDone();
    if (lengthOf(text) > CONTENT_MAX) return setError(explain({ code: 'too_long' }));
    setBusy(true);
    try {
      await room.edit(message.id, text);
      onDone();
    } catch (thrown) {
      setError(explain(thrown));
      setBusy(false);
      area.current?.focus();
    }
  };
  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape') onDone();
    else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void save();
    }
  };
  return (
    <div class="editor">
      <textarea ref={area} class="input" aria-label={t('editMessage')} defaultValue={message.content} disabled={busy} dir="auto"
        rows={Math.min(8, message.content.split('\n').length + 1)} onKeyDown={keys} />
      <p class="form-error" role="alert">{error}</p>
      <div class="editor-actions">
        <span class="hint grow">{t('editHint')}</span>
        <Button class="small" onClick={onDone}>{t('cancel')}</Button>
        <Button class="small" kind="primary" disabled={busy} onClick={() => void save()}>{t('save')}</Button>
      </div>
    </div>
  );
}
