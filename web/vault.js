// The session as the tab that renewed it last left it. localStorage does not promise that: each tab has a
// copy of its own, which for a moment may be older, and a refresh token that was used must not be used again.
let opened = null;

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('parley', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('values');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function transact(mode, work) {
  opened ??= open();
  const transaction = (await opened).transaction('values', mode);
  const request = work(transaction.objectStore('values'));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

// Where the browser has no IndexedDB, localStorage has to do.
export function readVault() {
  return transact('readonly', (values) => values.get('session')).catch(() => null);
}

export function writeVault(session) {
  return transact('readwrite', (values) => values.put(session, 'session')).catch(() => null);
}

export function clearVault() {
  return transact('readwrite', (values) => values.delete('session')).catch(() => null);
}
