// What was written and not sent, by room; survives a reload.
const PREFIX = 'parley.draft.';

export const drafts = {
  get: (roomId: string): string => localStorage.getItem(PREFIX + roomId) ?? '',
  set(roomId: string, text: string): void {
    try {
      if (text.trim()) localStorage.setItem(PREFIX + roomId, text);
      else localStorage.removeItem(PREFIX + roomId);
    } catch {
      // Full: the field has it still.
    }
  },
  clear(): void {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  },
};
