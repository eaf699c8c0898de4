export { ParleyClient, type ClientEvents, type ClientOptions } from './client.js';
export { ParleyError, type ErrorCode } from './errors.js';
export type { Event } from './generated/live.js';
export type {
  Account, Calls, Credentials, HeldMessage, Member, MemberPage, Message, MessagePage, MyRoom, NewRoom, NewUser,
  Person, ReactionSummary, Role, Room as RoomFields, RoomChange, RoomPage, Session, SessionPage, User, UserChange,
} from './generated/rest.js';
export { compareIds } from './ids.js';
export type { Draft, PendingMessage } from './outbox.js';
export type { CallAnswer, CallInput, CallName } from './rest.js';
export { Room, type RoomEvent, type RoomEvents, type RoomInfo, type RoomState, type Sending } from './room.js';
export type { Backoff, ConnectionState } from './socket.js';
export { indexedDbStorage, memoryStorage, type ClientStorage } from './storage.js';
export type { TimelineMessage } from './timeline.js';
export { Upload, type UploadOptions } from './upload.js';
