// Pictures of people, as object URLs: each is read once, and one that may not be seen is not asked for again for a while.
import { client } from '@/app/client';

const KEPT_MAX = 300;
const REFUSED_MS = 60_000;
/** On the server: what is shown is never larger than 64 points, on a screen with four pixels for each. */
const SIDE = 256;

class Avatars {
  #urls = new Map<string, string>();
  #loading = new Map<string, Promise<string>>();
  #refused = new Map<string, number>();

  constructor() {
    client.on('user', (user) => !user && this.#drop(0));
  }

  known(mediaId: string): string | undefined {
    return this.#urls.get(mediaId);
  }

  load(mediaId: string): Promise<string> {
    const known = this.#urls.get(mediaId);
    if (known) return Promise.resolve(known);
    if (Date.now() < (this.#refused.get(mediaId) ?? 0)) return Promise.reject(new Error('refused a moment ago'));
    let loading = this.#loading.get(mediaId);
    if (!loading) {
      loading = this.#load(mediaId).finally(() => this.#loading.delete(mediaId));
      this.#loading.set(mediaId, loading);
    }
    return loading;
  }

  async #load(mediaId: string): Promise<string> {
    try {
      const url = URL.createObjectURL(await (await client.media(mediaId)).blob());
      this.#urls.set(mediaId, url);
      this.#drop(KEPT_MAX);
      return url;
    } catch (error) {
      if (this.#refused.size > KEPT_MAX) this.#refused.clear();
      this.#refused.set(mediaId, Date.now() + REFUSED_MS);
      throw error;
    }
  }

  #drop(keep: number): void {
    if (!keep) this.#refused.clear();
    while (this.#urls.size > keep) {
      const [mediaId, url] = this.#urls.entries().next().value!;
      this.#urls.delete(mediaId);
      URL.revokeObjectURL(url);
    }
  }
}

export const avatars = new Avatars();

/** The middle of a picture, small enough to be seen beside each message. Throws when it is none. */
export async function squared(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file);
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = Math.min(SIDE, side);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, left, top, side, side, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('no picture'))), 'image/webp', 0.9);
  });
}
