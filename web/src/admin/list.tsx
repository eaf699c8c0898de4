import type { ComponentChildren } from 'preact';
import { t } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { Icon, type IconName } from '@/ui/icon';
import type { Paged } from './paged';
import { explainHere } from './words';

interface ListProps {
  list: Omit<Paged<unknown>, 'replace'>;
  /** The name of the search field, and what stands in it. */
  search?: [label: string, hint: string];
  empty: { icon: IconName; title: string; hint?: string };
  children: ComponentChildren;
}

/** Around the rows of a list: search, what went wrong, nothing there, more. */
export function List({ list, search, empty, children }: ListProps) {
  return (
    <section class="admin-section" aria-busy={!list.loaded && !list.error}>
      {search && (
        <div class="search-field admin-search">
          <Icon name="search" size={18} />
          <input class="input" type="search" aria-label={search[0]} placeholder={search[1]} value={list.query}
            onInput={(event) => list.setQuery(event.currentTarget.value)} />
        </div>
      )}
      {Boolean(list.error) && <Failed error={list.error} again={list.again} />}
      {!list.loaded && !list.error && <Skeleton />}
      {list.items.length > 0 && children}
      {list.loaded && !list.items.length && <Nothing {...empty} />}
      {list.next && <Button class="wide" onClick={() => void list.more()}>{t('loadMore')}</Button>}
    </section>
  );
}

export function Failed({ error, again }: { error: unknown; again: () => void }) {
  return (
    <p class="notice" role="alert">
      {explainHere(error)}{' '}
      <button type="button" class="link" onClick={again}>{t('tryAgain')}</button>
    </p>
  );
}

export function Nothing({ icon, title, hint }: { icon: IconName; title: string; hint?: string }) {
  return (
    <div class="admin-empty">
      <span class="admin-empty-icon"><Icon name={icon} size={24} /></span>
      <p class="empty-title">{title}</p>
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}

export function Skeleton({ rows = 5 }: { rows?: number }) {
  return (
    <div class="admin-skeleton" aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => <div key={i} class="skeleton-room" />)}
    </div>
  );
}
