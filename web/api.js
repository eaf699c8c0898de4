// The REST calls that the page makes, by name.
import { ApiError, meansSignedOut } from './errors.js';
import { exchange } from './http.js';

function after(cursor) {
  return cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
}

export class Api {
  constructor(session) {
    this.session = session;
  }

  async call(method, path, body) {
    const token = await this.session.token();
    try {
      return await exchange(method, path, { body, token });
    } catch (error) {
      if (!meansSignedOut(error)) throw error;
      if (error.code === 'session_revoked') {
        this.session.end(error);
        throw error;
      }
      await this.session.refresh(token);
      return exchange(method, path, { body, token: await this.session.token() });
    }
  }

  async signUp(username, email, password) {
    this.session.accept(await exchange('POST', '/v1/users', { body: { username, email, password } }));
  }

  async logIn(name, password) {
    const body = name.includes('@') ? { email: name, password } : { username: name, password };
    this.session.accept(await exchange('POST', '/v1/sessions', { body }));
  }

  async logOut() {
    // Signed out here in any case; the server's part may fail when it cannot be reached.
    try {
      await this.call('DELETE', '/v1/sessions/current');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.session.end();
    }
  }

  async myRooms() {
    const rooms = [];
    let cursor = null;
    do {
      const page = await this.call('GET', `/v1/rooms?limit=100${after(cursor)}`);
      rooms.push(...page.rooms);
      cursor = page.next;
    } while (cursor);
    return rooms;
  }

  directory(query, cursor) {
    return this.call('GET', `/v1/rooms/directory?limit=30&query=${encodeURIComponent(query)}${after(cursor)}`);
  }

  createRoom(fields) {
    return this.call('POST', '/v1/rooms', fields);
  }

  join(roomId) {
    return this.call('POST', `/v1/rooms/${roomId}/join`);
  }

  leave(roomId) {
    return this.call('POST', `/v1/rooms/${roomId}/leave`);
  }

  members(roomId, cursor, limit = 100) {
    return this.call('GET', `/v1/rooms/${roomId}/members?limit=${limit}${after(cursor)}`);
  }

  addMember(roomId, userId) {
    return this.call('PUT', `/v1/rooms/${roomId}/members/${encodeURIComponent(userId)}`, { role: 'member' });
  }

  removeMember(roomId, userId) {
    return this.call('DELETE', `/v1/rooms/${roomId}/members/${userId}`);
  }

  history(roomId, before, limit = 50) {
    return this.call('GET', `/v1/rooms/${roomId}/messages?limit=${limit}${before ? `&before=${before}` : ''}`);
  }
}
