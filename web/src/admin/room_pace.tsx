// Slow mode and retention of any group, as the server's moderators set them.
import type { RoomFields } from '@parley/client';
import { client } from '@/app/client';
import { t } from '@/i18n/i18n';
import { paceOf, PaceFields } from '@/rooms/room_dialogs';
import { FormDialog } from '@/ui/dialog';
import { overlay, toast } from '@/ui/overlay';
import { a, told } from './words';

export function openRoomPace(room: RoomFields, changed: (room: RoomFields) => void): void {
  overlay.open(
    <FormDialog
      title={a('paceTitle', { name: room.name })} action={t('save')} onClose={overlay.close} key={`pace-${room.id}`}
      run={async (form) => {
        const body = paceOf(form, room);
        if (!Object.keys(body).length) return;
        changed(await told(client.call('PATCH /v1/rooms/{room_id}', { path: { room_id: room.id }, body })));
        toast(a('paceSaved', { name: room.name }));
      }}
    >
      <p class="hint">{a('paceText')}</p>
      <PaceFields room={room} />
    </FormDialog>,
  );
}
