import { useState } from 'preact/hooks';
import { useAsked } from '@/ui/hooks';
import { toast } from '@/ui/overlay';
import { explainHere } from './words';

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

export interface Paged<Item> {
  query: string;
  setQuery: (query: string) => void;
  items: Item[];
  loaded: boolean;
  error: unknown;
  again: () => void;
  next: string | null;
  more: () => Promise<void>;
  /** In the place of the one with this id; null takes it out. */
  replace: (id: string, item: Item | null) => void;
}

const WAIT_MS = 200;

/** A list that comes in pages, read anew when the query changes. */
export function usePaged<Item extends { id: string }>(load: (query: string, cursor?: string) => Promise<Page<Item>>): Paged<Item> {
  const [query, setQuery] = useState('');
  const [extra, setExtra] = useState<{ of: unknown; items: Item[]; next: string | null } | null>(null);
  const [changes, setChanges] = useState<{ of: unknown; by: Map<string, Item | null> } | null>(null);
  const { value, error, again } = useAsked(async (signal) => {
    await new Promise((go) => setTimeout(go, query ? WAIT_MS : 0));
    signal.throwIfAborted();
    return load(query);
  }, [query]);
  const more = extra?.of === value ? extra : null;
  const changed = changes?.of === value ? changes?.by : undefined;
  const all = [...(value?.items ?? []), ...(more?.items ?? [])];
  const items = all.map((item) => (changed?.has(item.id) ? changed.get(item.id)! : item)).filter((item) => item !== null);
  const next = more ? more.next : value?.next ?? null;
  return {
    query, setQuery, items, loaded: Boolean(value), error, again, next,
    more: async () => {
      try {
        const page = await load(query, next!);
        setExtra({ of: value, items: [...(more?.items ?? []), ...page.items], next: page.next });
      } catch (thrown) {
        toast(explainHere(thrown));
      }
    },
    replace: (id, item) => setChanges((last) => ({
      of: value, by: new Map([...(last?.of === value ? last?.by ?? [] : []), [id, item]]),
    })),
  };
}

/** What a call with pages takes. */
export function pageOf(limit: number, query: string, cursor?: string): { limit: number; query?: string; cursor?: string } {
  return { limit, ...(query && { query }), ...(cursor && { cursor }) };
}
