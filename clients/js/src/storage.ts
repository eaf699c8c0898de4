/**
 * Where the session, unsent messages and the cache live. Values are what structured clone takes. Writes of one key
 * take effect in the order in which they were called.
 */
export interface ClientStorage {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** All that begin with the prefix, by key. */
  entries(prefix: string): Promise<[key: string, value: unknown][]>;
}

/** Lives as long as the page or process. */
export function memoryStorage(): ClientStorage {
  const values = new Map<string, unknown>();
  return {
    get: async (key) => structuredClone(values.get(key)),
    set: async (key, value) => void values.set(key, structuredClone(value)),
    delete: async (key) => void values.delete(key),
    entries: async (prefix) => [...values].filter(([key]) => key.startsWith(prefix)).sort(byKey)
      .map(([key, value]) => [key, structuredClone(value)]),
  };
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);

/** Survives a reload, and is shared by the tabs of an origin. */
export function indexedDbStorage(name = 'parley', factory: IDBFactory = indexedDB): ClientStorage {
  let opened: Promise<IDBDatabase> | null = null;
  const open = () => (opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore('values');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      // Another tab wants to delete or upgrade it, or the browser closed it: the next call opens it again.
      request.result.onclose = request.result.onversionchange = () => {
        request.result.close();
        opened = null;
      };
      resolve(request.result);
    };
  }).catch((error) => {
    opened = null;
    throw error;
  }));
  async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const transaction = (await open()).transaction('values', mode);
    const request = act(transaction.objectStore('values'));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }
  return {
    get: (key) => run('readonly', (store) => store.get(key)),
    set: async (key, value) => void (await run('readwrite', (store) => store.put(value, key))),
    delete: (key) => run('readwrite', (store) => store.delete(key)),
    async entries(prefix) {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      const transaction = (await open()).transaction('values', 'readonly');
      const store = transaction.objectStore('values');
      const [keys, values] = [store.getAllKeys(range), store.getAll(range)];
      return new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve(keys.result.map((key, i) => [String(key), values.result[i]]));
        transaction.onabort = transaction.onerror = () => reject(transaction.error);
      });
    },
  };
}

/** A storage that fails (full, or forbidden) costs what a reload keeps, never what is going on. */
export function forgiving(storage: ClientStorage): ClientStorage {
  const calm = <T>(work: Promise<T>, otherwise: T) => work.catch(() => otherwise);
  return {
    get: (key) => calm(storage.get(key), undefined),
    set: (key, value) => calm(storage.set(key, value), undefined),
    delete: (key) => calm(storage.delete(key), undefined),
    entries: (prefix) => calm(storage.entries(prefix), []),
  };
}
