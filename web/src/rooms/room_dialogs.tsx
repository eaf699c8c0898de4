// Making, changing, leaving and deleting rooms.
import type { Room, RoomChange, RoomFields } from '@parley/client';
import { client } from '@/app/client';
import { i18n, t, tn } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { Dialog, Field, FormDialog } from '@/ui/dialog';
import { overlay, toast } from '@/ui/overlay';
import { leaving } from './leaving';

const SLOW_MODES = [0, 5, 10, 30, 60, 300, 900, 3600];
const RETENTIONS = [0, 1, 7, 30, 90, 365];

const text = (form: HTMLFormElement, name: string) => String(new FormData(form).get(name) ?? '').trim();

export function openNewRoom(made: (id: string) => void, name = ''): void {
  overlay.open(
    <FormDialog
      title={t('newRoom')} action={t('createRoom')} onClose={overlay.close} key="new-room"
      run={async (form) => {
        const visibility = text(form, 'visibility') as 'public' | 'private';
        const room = await client.createRoom({ kind: 'group', name: text(form, 'name'), topic: text(form, 'topic'), visibility });
        made(room.id);
      }}
    >
      <Field name="name" label={t('name')}>
        <input id="field-name" name="name" class="input" required minLength={3} maxLength={50} defaultValue={name} dir="auto" />
      </Field>
      <Field name="topic" label={t('topic')} hint={t('topicHint')}>
        <input id="field-topic" name="topic" class="input" maxLength={500} dir="auto" />
      </Field>
      <VisibilityChoice value="public" />
    </FormDialog>,
  );
}

function VisibilityChoice({ value }: { value: string }) {
  const choice = (name: string, label: string, hint: string) => (
    <label class="choice">
      <input type="radio" name="visibility" value={name} defaultChecked={value === name} />
      <span><strong>{label}</strong><span class="hint">{hint}</span></span>
    </label>
  );
  return (
    <fieldset class="choices">
      <legend>{t('whoCanJoin')}</legend>
      {choice('public', t('everybody'), t('everybodyHint'))}
      {choice('private', t('onlyAdded'), t('onlyAddedHint'))}
    </fieldset>
  );
}

export function seconds(n: number): string {
  if (n === 0) return t('off');
  if (n < 60) return tn('seconds', n);
  return n < 3600 ? tn('minutes', n / 60) : tn('hours', n / 3600);
}

type Paced = Pick<RoomFields, 'slow_mode_seconds' | 'retention_days'>;

/** How fast one may write there, and how long it is kept; `retention`: where one may say that too. */
export function PaceFields({ room, retention = true }: { room: Paced; retention?: boolean }) {
  const options = (values: number[], current: number, label: (n: number) => string) =>
    [...new Set([...values, current])].sort((a, b) => a - b).map((n) => <option key={n} value={n}>{label(n)}</option>);
  const days = room.retention_days ?? 0;
  return (
    <>
      <Field name="slow" label={t('slowMode')} hint={t('slowModeHint')}>
        <select id="field-slow" name="slow" class="select wide" aria-describedby="hint-slow" value={room.slow_mode_seconds}>
          {options(SLOW_MODES, room.slow_mode_seconds, seconds)}
        </select>
      </Field>
      {retention && (
        <Field name="retention" label={t('retention')} hint={t('retentionHint')}>
          <select id="field-retention" name="retention" class="select wide" aria-describedby="hint-retention" value={days}>
            {options(RETENTIONS, days, (n) => (n ? tn('days', n) : t('forEver')))}
          </select>
        </Field>
      )}
    </>
  );
}

/** What the form's PaceFields change. */
export function paceOf(form: HTMLFormElement, before: Paced): RoomChange {
  const change: RoomChange = {};
  const slow = Number(text(form, 'slow'));
  if (slow !== before.slow_mode_seconds) change.slow_mode_seconds = slow;
  const days = Number(text(form, 'retention'));
  if (new FormData(form).has('retention') && days !== (before.retention_days ?? 0)) change.retention_days = days || null;
  return change;
}

export function openRoomSettings(room: Room): void {
  const info = room.info!;
  const owns = info.my_role === 'owner';
  overlay.open(
    <FormDialog
      title={t('roomSettings')} action={t('save')} onClose={overlay.close}
      run={async (form) => {
        const change = paceOf(form, info);
        if (text(form, 'name') !== info.name) change.name = text(form, 'name');
        if (text(form, 'topic') !== info.topic) change.topic = text(form, 'topic');
        if (text(form, 'visibility') !== info.visibility) change.visibility = text(form, 'visibility') as 'public';
        if (Object.keys(change).length) await room.update(change);
      }}
    >
      <Field name="name" label={t('name')}>
        <input id="field-name" name="name" class="input" required minLength={3} maxLength={50} defaultValue={info.name} dir="auto" />
      </Field>
      <Field name="topic" label={t('topic')}>
        <input id="field-topic" name="topic" class="input" maxLength={500} defaultValue={info.topic} dir="auto" />
      </Field>
      <VisibilityChoice value={info.visibility} />
      <PaceFields room={info} retention={owns} />
      {owns && (
        <div class="danger-zone">
          <Button kind="danger-text" onClick={() => confirmDelete(room)}>{t('deleteRoom')}</Button>
        </div>
      )}
    </FormDialog>,
  );
}

export function confirmLeave(room: Room, title: string): void {
  overlay.open(
    <FormDialog
      title={t('leaveRoomTitle', { name: title })} action={t('leave')} danger onClose={overlay.close} key="leave"
      run={async () => {
        leaving.add(room.id);
        await room.leave().catch((error) => {
          leaving.delete(room.id);
          throw error;
        });
      }}
    >
      <p>{room.info?.visibility === 'private' ? t('leavePrivateText') : t('leavePublicText')}</p>
    </FormDialog>,
  );
}

function confirmDelete(room: Room): void {
  overlay.open(
    <FormDialog
      title={t('deleteRoomTitle', { name: room.info?.name ?? '' })} action={t('delete')} danger onClose={overlay.close}
      key="delete-room"
      run={async () => {
        leaving.add(room.id);
        await room.remove().catch((error) => {
          leaving.delete(room.id);
          throw error;
        });
        toast(t('roomDeleted'));
      }}
    >
      <p>{t('deleteRoomText')}</p>
    </FormDialog>,
  );
}

/** What a room is, for those who cannot change it. */
export function openRoomInfo(room: Room): void {
  const info = room.info!;
  overlay.open(
    <Dialog title={t('aboutRoom')} onClose={overlay.close}>
      <dl class="facts">
        <dt>{t('name')}</dt><dd dir="auto">{info.name}</dd>
        {info.topic && <><dt>{t('topic')}</dt><dd dir="auto">{info.topic}</dd></>}
        <dt>{t('whoCanJoin')}</dt><dd>{info.visibility === 'private' ? t('onlyAdded') : t('everybody')}</dd>
        <dt>{t('slowMode')}</dt><dd>{seconds(info.slow_mode_seconds)}</dd>
        <dt>{t('retention')}</dt><dd>{info.retention_days ? tn('days', info.retention_days) : t('forEver')}</dd>
        <dt>{t('created')}</dt><dd>{i18n.date(info.created_at, 'created', { dateStyle: 'long' })}</dd>
      </dl>
    </Dialog>,
  );
}
