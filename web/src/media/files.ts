// The bytes of media: read with the token, kept as object URLs for a while; and signed URLs for players and downloads.
import { client } from '@/app/client';
import { Emitter } from '@/app/emitter';

export type Size = 'small' | 'large' | 'original';

const KEPT_MAX = 80;

class Files extends Emitter<{ change: void }> {
  #urls = new Map<string, Promise<string>>();

  constructor() {
    super();
    client.on('user', () => this.#drop(0));
  }

  /** An object URL of a picture; a thumbnail that is not there is the original. */
  picture(mediaId: string, size: Size): Promise<string> {
    const key = `${mediaId}/${size}`;
    let url = this.#urls.get(key);
    if (!url) {
      url = client.media(mediaId, size).then(async (answer) => URL.createObjectURL(await answer.blob()));
      url.catch(() => this.#urls.delete(key));
    }
    this.#urls.delete(key);
    this.#urls.set(key, url); // the newest are last
    this.#drop(KEPT_MAX);
    return url;
  }

  /** For a player or a download: lives for about a minute. */
  async signed(mediaId: string): Promise<string> {
    const answer = await client.media(mediaId, 'original');
    void answer.body?.cancel();
    return answer.url;
  }

  async download(mediaId: string, name: string): Promise<void> {
    const link = document.createElement('a');
    link.href = await this.signed(mediaId);
    link.download = name;
    link.click();
  }

  #drop(keep: number): void {
    while (this.#urls.size > keep) {
      const [key, url] = this.#urls.entries().next().value!;
      this.#urls.delete(key);
      void url.then(URL.revokeObjectURL, () => {});
    }
  }
}

export const files = new Files();
