// The admin page is fetched by those who open it.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { explain } from '@/app/errors';

export function AdminPage({ tab }: { tab: string }) {
  const [page, setPage] = useState<{ Page: ComponentType<{ tab: string }> } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import('./admin-page').then(async ({ Admin, loadWords }) => {
      await loadWords();
      setPage({ Page: Admin });
    }).catch(() => setFailed(true));
  }, []);
  if (failed) return <main class="chat" id="main"><p class="notice" role="alert">{explain({ code: 'offline' })}</p></main>;
  return page ? <page.Page tab={tab} /> : <main class="chat" id="main" aria-busy="true" />;
}
