// As the server has them (docs/api/openapi.json).
export const CONTENT_MAX = 4000;
export const COUNT_FROM = 3600;
export const FILES_MAX = 10;

/** Code points: what the server counts. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
