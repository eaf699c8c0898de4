import { useState } from 'preact/hooks';
import { explain } from '@/app/errors';
import { useAsked } from '@/ui/hooks';
import { toast } from '@/ui/overlay';

interface Page<Item> {
  items: Item[];
  next: string | null;
}

const WAIT_MS = 200;

/** A list that comes in pages, read anew when the query changes. */
export function usePaged<Item>(load: (query: string, cursor?: string) => Promise<Page<Item>>) {
  const [query, setQuery] = useState('');
  const [pages, setPages] = useState<{ of: unknown; items: Item[]; next: string | null } | null>(null);
  const { value, error, again } = useAsked(async (signal) => {
    await new Promise((go) => setTimeout(go, query ? WAIT_MS : 0));
    signal.throwIfAborted();
    return load(query);
  }, [query]);
  const extra = pages?.of === value ? pages : null;
  const next = extra ? extra.next : value?.next ?? null;
  const more = async () => {
    try {
      const page = await load(query, next!);
      setPages({ of: value, items: [...(extra?.items ?? []), ...page.items], next: page.next });
    } catch (thrown) {
      toast(explain(thrown));
    }
  };
  return { query, setQuery, items: [...(value?.items ?? []), ...(extra?.items ?? [])], loaded: Boolean(value), error, again, next, more };
}

export type Paged = Pick<ReturnType<typeof usePaged>, 'query' | 'setQuery' | 'loaded' | 'error' | 'again' | 'next' | 'more'>
  & { items: readonly unknown[] };
