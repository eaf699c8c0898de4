// Says calmly what state the connection is in, once it is not good for a moment.
import { useEffect, useState } from 'preact/hooks';
import { client } from '@/app/client';
import { t } from '@/i18n/i18n';
import { Icon } from '@/ui/icon';
import { useEvent, useRedraw, useTick } from '@/ui/hooks';

const PATIENCE_MS = 1_200;

export function ConnectionBanner() {
  useEvent(client, 'connection');
  const redraw = useRedraw();
  const { connection } = client;
  const bad = connection.name !== 'online';
  const [late, setLate] = useState(false);
  useEffect(() => {
    addEventListener('online', redraw);
    addEventListener('offline', redraw);
    return () => {
      removeEventListener('online', redraw);
      removeEventListener('offline', redraw);
    };
  }, []);
  useEffect(() => {
    if (!bad) {
      setLate(false);
      return undefined;
    }
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [bad]);
  useTick(connection.name === 'waiting');
  if (!bad || !late) return null;
  return (
    <div class="banner" role="status">
      <Icon name="alert" size={18} />
      <span>{text()}</span>
      {connection.name !== 'connecting' && navigator.onLine && (
        <button type="button" class="link" onClick={() => void client.connect().catch(() => {})}>{t('connectNow')}</button>
      )}
    </div>
  );
}

function text(): string {
  const { connection } = client;
  if (!navigator.onLine) return t('youAreOffline');
  if (connection.name === 'stopped') return t('connectionStopped');
  if (connection.name !== 'waiting') return t('connecting');
  const seconds = Math.max(1, Math.ceil((connection.retry_at - Date.now()) / 1000));
  return seconds > 4 ? t('noConnectionFor', { n: seconds }) : t('noConnection');
}
