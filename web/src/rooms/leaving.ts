/** Rooms that this page leaves by itself: nobody needs to be told. */
export const leaving = new Set<string>();
