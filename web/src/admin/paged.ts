import { useRef, useState } from 'preact/hooks';
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
  // A change counts until the list was read after it.
  const [changes, setChanges] = useState(new Map<string, { item: Item | null; at: number }>());
  const clock = useRef(0);
  const { value, error, again } = useAsked(async (signal) => {
    await new Promise((go) => setTimeout(go, query ? WAIT_MS : 0));
    signal.throwIfAborted();
    const at = ++clock.current;
    return { ...await load(query), at };
  }, [query]);
  const more = extra?.of === value ? extra : null;
  const all = [...(value?.items ?? []), ...(more?.items ?? [])];
  const items = all.map((item) => {
    const change = changes.get(item.id);
    return change && change.at > value!.at ? change.item : item;
  }).filter((item) => item !== null);
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
    replace: (id, item) => {
      const at = ++clock.current;
      setChanges((last) => new Map([...last, [id, { item, at }]]));
    },
  };
}

/** What a call with pages takes. */
export function pageOf(limit: number, query: string, cursor?: string): { limit: number; query?: string; cursor?: string } {
  return { limit, ...(query && { query }), ...(cursor && { cursor }) };
}
