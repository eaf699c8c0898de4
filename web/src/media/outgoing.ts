// Files on their way: each is uploaded, then sent as a message. Until then it stands below the messages of its room.
import type { Room, Upload } from '@parley/client';
import { client, myId } from '@/app/client';
import { Emitter } from '@/app/emitter';

/** A file that was chosen and not sent yet. */
export interface Staged {
  key: string;
  file: File;
  /** Of a picture. */
  preview: string | null;
}

export interface OutgoingFile extends Staged {
  upload: Upload;
  room_id: string;
  user_id: string;
  content: string;
  reply_to?: string;
  created_at: string;
}

const NONE: readonly OutgoingFile[] = [];
let keys = 0;

export function stage(file: File): Staged {
  const isPicture = /^image\/(png|jpeg|gif|webp|avif)$/.test(file.type);
  return { key: `file-${++keys}`, file, preview: isPicture ? URL.createObjectURL(file) : null };
}

export function unstage({ preview }: Staged): void {
  if (preview) URL.revokeObjectURL(preview);
}

class Outgoing extends Emitter<{ change: void }> {
  #rooms = new Map<string, readonly OutgoingFile[]>();

  constructor() {
    super();
    client.on('user', () => {
      for (const list of this.#rooms.values()) for (const file of list) file.upload.cancel();
      this.#rooms.clear();
    });
  }

  of(roomId: string): readonly OutgoingFile[] {
    return this.#rooms.get(roomId) ?? NONE;
  }

  /** The text goes with the first of them. */
  send(room: Room, files: Staged[], content: string, replyTo?: string): void {
    const made = files.map((file, i): OutgoingFile => ({
      ...file,
      upload: room.upload(file.file, { filename: file.file.name || 'file', content_type: typeOf(file.file) }),
      room_id: room.id, user_id: myId(), content: i === 0 ? content : '',
      ...(i === 0 && replyTo && { reply_to: replyTo }),
      created_at: new Date().toISOString(),
    }));
    this.#set(room.id, [...this.of(room.id), ...made]);
    for (const file of made) this.#follow(room, file);
  }

  retry(file: OutgoingFile): void {
    file.upload.retry();
    this.#follow(client.room(file.room_id), file);
  }

  cancel(file: OutgoingFile): void {
    file.upload.cancel();
    this.#remove(file);
  }

  #follow(room: Room, file: OutgoingFile): void {
    file.upload.done.then((mediaId) => {
      const { content, reply_to } = file;
      this.#remove(file);
      room.send({ type: 'MEDIA', media_id: mediaId, content, ...(reply_to && { reply_to }) });
    }, () => {}); // its card says so
  }

  #remove(file: OutgoingFile): void {
    this.#set(file.room_id, this.of(file.room_id).filter((each) => each !== file));
    unstage(file);
  }

  #set(roomId: string, list: readonly OutgoingFile[]): void {
    if (list.length) this.#rooms.set(roomId, list);
    else this.#rooms.delete(roomId);
    this.emit('change', undefined);
  }
}

// Of files whose type the system does not know.
const TYPES: Record<string, string> = { md: 'text/plain', log: 'text/plain', csv: 'text/csv', txt: 'text/plain' };

function typeOf(file: File): string {
  if (file.type) return file.type;
  return TYPES[file.name.split('.').at(-1)!.toLowerCase()] ?? 'application/octet-stream';
}

export const outgoing = new Outgoing();
