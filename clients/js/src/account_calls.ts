// What is done with one's own account, and what is known of other people.
import { Emitter } from './emitter.js';
import type * as rest from './generated/rest.js';
import type { CallAnswer, CallArguments, CallName } from './rest.js';
import { Upload, type UploadOptions } from './upload.js';

export abstract class AccountCalls<Events extends object> extends Emitter<Events> {
  abstract readonly url: string;
  abstract call<Name extends CallName>(name: Name, ...rest: CallArguments<Name>): Promise<CallAnswer<Name>>;
  /** @internal */
  abstract exchange(method: string, url: string): Promise<unknown>;

  /** Where I am logged in, the newest first. */
  sessions(query: { limit?: number; cursor?: string } = {}): Promise<rest.SessionPage> {
    return this.call('GET /v1/me/sessions', { query });
  }

  /** Ends one of my sessions; its sockets are closed. */
  endSession(session_id: string): Promise<void> {
    return this.call('DELETE /v1/me/sessions/{session_id}', { path: { session_id } });
  }

  endOtherSessions(): Promise<void> {
    return this.call('DELETE /v1/me/sessions');
  }

  /** Proves the present password; all my other sessions end. `forbidden`: it is another one. */
  changePassword(current_password: string, password: string): Promise<void> {
    return this.call('POST /v1/me/password', { body: { current_password, password } });
  }

  /** A picture of me on its way; with `(await upload.done)` as `avatar_media_id` `updateMe` takes it. */
  uploadAvatar(file: Blob, options: UploadOptions = {}): Upload {
    return new Upload(this, null, file, options);
  }

  /** Names and pictures of up to a hundred people by their ids, as far as there are such people. */
  async people(ids: readonly string[]): Promise<rest.Person[]> {
    return (await this.call('GET /v1/users', { query: { ids: ids.join() } })).users;
  }
}
