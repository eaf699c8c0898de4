// What went wrong, for programs (code) and for people (explain).

export class ApiError extends Error {
  constructor(code, detail = '', { status = 0, retryAfterMs = 0 } = {}) {
    super(detail || code);
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const texts = {
  offline: 'The server cannot be reached. Check your connection and try again.',
  timeout: 'The server did not answer in time. Try again.',
  disconnected: 'The connection was lost. Try again once it is back.',
  invalid_credentials: 'That name and password do not fit. Check both and try again.',
  email_taken: 'There is an account with this e-mail address already. Log in instead.',
  username_taken: 'This name is taken. Choose another one.',
  invalid_username: 'A name has 3 to 20 letters or digits; _ . and - are fine too.',
  invalid_email: 'This does not look like an e-mail address. Check it for typing errors.',
  invalid_password: 'A password has 8 to 128 characters.',
  room_name_taken: 'There is a room of this name already. Choose another name.',
  last_owner: 'You are the only owner of this room. Make somebody else owner before you leave.',
  last_admin: 'The server would be left without an admin. Make somebody else admin first.',
  not_a_member: 'You are not in this room any more. Join it again to go on.',
  unknown_room: 'This room is gone, or you are not in it any more.',
  unknown_user: 'Nobody has this user id. Check it and try again.',
  unknown_message: 'This message is gone.',
  forbidden: 'Your role in this room does not allow that. Ask an owner of the room.',
  too_long: 'This text is too long. Shorten it and try again.',
  nonce_conflict: 'This message could not be told from another one. Send it again.',
  content_held: 'A moderator looks at this message first. It will appear once it is let through.',
  content_rejected: 'There is a word in this that is not allowed here. Change it and try again.',
  rate_limited: 'That was too fast. Wait a moment and try again.',
  unavailable: 'The server is busy; nothing was stored. Try again in a moment.',
  session_revoked: 'This session was ended. Log in again.',
  token_reused: 'This session was ended for safety. Log in again.',
  unauthorized: 'You are not signed in any more. Log in again.',
  token_expired: 'You were away for long. Log in again.',
  payload_too_large: 'This is too much at once. Shorten it and try again.',
};

export function explain(error) {
  return texts[error?.code] ?? error?.detail ?? 'Something went wrong. Try again.';
}

const signedOutCodes = new Set(['unauthorized', 'token_expired', 'session_revoked', 'token_reused']);

export function meansSignedOut(error) {
  return signedOutCodes.has(error?.code);
}

// Worth the same request again, unchanged.
export function isTemporary(error) {
  return ['unavailable', 'rate_limited', 'timeout', 'offline', 'disconnected'].includes(error?.code);
}
