import type { ComponentChildren } from 'preact';
import { explain } from '@/app/errors';
import { t } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { Icon } from '@/ui/icon';
import { Empty } from '@/ui/overlay';
import type { Paged } from './paged';

/** Around the rows of a list: search, what went wrong, nothing there, more. */
export function List({ list, search, empty, children }:
  { list: Paged; search?: string; empty: string; children: ComponentChildren }) {
  return (
    <section class="admin-list" aria-busy={!list.loaded && !list.error}>
      {search && (
        <div class="search-field">
          <Icon name="search" size={18} />
          <input class="input" type="search" aria-label={search} placeholder={search} value={list.query}
            onInput={(event) => list.setQuery(event.currentTarget.value)} />
        </div>
      )}
      {Boolean(list.error) && (
        <p class="notice" role="alert">{explain(list.error)}{' '}
          <button type="button" class="link" onClick={list.again}>{t('tryAgain')}</button></p>
      )}
      {children}
      {list.loaded && !list.items.length && <Empty title={empty} />}
      {list.next && <Button class="wide" onClick={() => void list.more()}>{t('loadMore')}</Button>}
    </section>
  );
}
