// What is done in a room by a call of the HTTP interface; what comes of it comes back as an event.
import type { ParleyClient } from './client.js';
import { Emitter } from './emitter.js';
import type * as rest from './generated/rest.js';
import { Upload, type UploadOptions } from './upload.js';

export class RoomCalls<Events extends object> extends Emitter<Events> {
  /** @internal */
  constructor(readonly client: ParleyClient, readonly id: string) {
    super();
  }

  edit(message_id: string, content: string): Promise<rest.Message> {
    const path = { room_id: this.id, message_id };
    return this.client.call('PATCH /v1/rooms/{room_id}/messages/{message_id}', { path, body: { content } });
  }

  delete(message_id: string): Promise<void> {
    const path = { room_id: this.id, message_id };
    return this.client.call('DELETE /v1/rooms/{room_id}/messages/{message_id}', { path });
  }

  react(message_id: string, emoji: string, added = true): Promise<void> {
    const path = { room_id: this.id, message_id, emoji };
    const pattern = '/v1/rooms/{room_id}/messages/{message_id}/reactions/{emoji}';
    return this.client.call(`${added ? 'PUT' : 'DELETE'} ${pattern}`, { path });
  }

  /** A file on its way; with `(await upload.done)` as `media_id` it can be sent. */
  upload(file: Blob, options: UploadOptions = {}): Upload {
    return new Upload(this.client, this.id, file, options);
  }

  members(query: { limit?: number; cursor?: string } = {}): Promise<rest.MemberPage> {
    return this.client.call('GET /v1/rooms/{room_id}/members', { path: { room_id: this.id }, query });
  }

  /** Adds somebody, or gives another role. */
  setMember(user_id: string, role?: rest.Role): Promise<void> {
    const path = { room_id: this.id, user_id };
    return this.client.call('PUT /v1/rooms/{room_id}/members/{user_id}', { path, body: role ? { role } : {} });
  }

  removeMember(user_id: string): Promise<void> {
    return this.client.call('DELETE /v1/rooms/{room_id}/members/{user_id}', { path: { room_id: this.id, user_id } });
  }
}
