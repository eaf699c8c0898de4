// The one SDK client of this page.
import { ParleyClient } from '@parley/client';
import { sharedSocketClass } from '@/connection/shared_socket';

export const client: ParleyClient = new ParleyClient({ WebSocket: sharedSocketClass(() => client.user?.id ?? '') });

export const myId = (): string => client.user?.id ?? '';
