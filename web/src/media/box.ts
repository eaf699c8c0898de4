// How large a picture is shown.
import type { TimelineMessage } from '@parley/client';

const WIDTH_MAX = 420;
const HEIGHT_MAX = 320;
const SMALL_MIN = 80;
/** As long as its size is not known. */
const UNKNOWN = { width: 280, height: 200 };

type Facts = NonNullable<TimelineMessage['media']>;

export function isPicture({ content_type }: Facts): boolean {
  return /^image\/(png|jpeg|gif|webp|avif)$/.test(content_type);
}

/** So small that its box is larger than it is. */
export function isTiny({ width, height }: Facts): boolean {
  const box = fitted({ width, height } as Facts);
  return Boolean(width && height) && (box.width > width! || box.height > height!);
}

/** Fits into the timeline, and is never larger than it is. */
export function fitted({ width, height }: Facts): { width: number; height: number } {
  if (!width || !height) return UNKNOWN;
  const scale = Math.min(1, WIDTH_MAX / width, HEIGHT_MAX / height);
  return { width: Math.max(SMALL_MIN, Math.round(width * scale)), height: Math.max(SMALL_MIN / 2, Math.round(height * scale)) };
}
