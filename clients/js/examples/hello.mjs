// node examples/hello.mjs http://127.0.0.1:8080 NAME ROOM TEXT
// Joins or makes a room, says something, prints what is there.
import { ParleyClient } from '@parley/client';

const [url, username, name, text] = process.argv.slice(2);
const WebSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket; // Node 20 has none of its own
const client = new ParleyClient({ url, WebSocket });
await client.signUp({ username, email: `${username}@example.org`, password: 'correct horse battery' });
await client.connect();

const { rooms } = await client.directory({ query: name });
const found = rooms.find((each) => each.name === name);
const room = found ? await client.joinRoom(found.id)
  : await client.createRoom({ kind: 'group', name, visibility: 'public' });
await room.open();
await room.send(text).sent;
for (const message of room.timeline) console.log(message.user_id === client.user.id ? 'me' : 'other', message.content);
client.disconnect();
