// My picture: shown, chosen, taken away. It is stored at once, without the button that saves the rest.
import type { User } from '@parley/client';
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { client } from '@/app/client';
import { explain } from '@/app/errors';
import { t } from '@/i18n/i18n';
import { squared } from '@/media/avatars';
import { Avatar } from '@/ui/avatar';
import { Button } from '@/ui/button';

const TYPES = 'image/png,image/jpeg,image/webp,image/gif,image/avif';

/** `children`: what stands beside it. */
export function MyPicture({ user, children }: { user: User; children: ComponentChildren }) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const doing = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setError('');
    await act().catch((thrown) => setError(explain(thrown)));
    setBusy(false);
  };
  const choose = () => {
    const file = input.current!.files?.[0];
    input.current!.value = '';
    if (file) void doing(() => upload(file));
  };
  return (
    <section class="profile">
      <div class="my-picture">
        <Avatar id={user.id} name={user.display_name || user.username} picture={user.avatar_media_id} size="large" />
        <div class="grow">{children}</div>
      </div>
      <div>
        <div class="my-picture-buttons">
          <Button class="small" disabled={busy} onClick={() => input.current!.click()}>
            {busy ? t('loading') : user.avatar_media_id ? t('changePicture') : t('choosePicture')}
          </Button>
          {user.avatar_media_id && (
            <Button class="small" disabled={busy} onClick={() => void doing(() => client.updateMe({ avatar_media_id: null }))}>
              {t('removePicture')}
            </Button>
          )}
        </div>
        <p class={error ? 'form-error' : 'hint'} role={error ? 'alert' : undefined}>{error || t('pictureHint')}</p>
      </div>
      <input ref={input} type="file" accept={TYPES} class="visually-hidden" tabIndex={-1} aria-hidden="true"
        data-picture onChange={choose} />
    </section>
  );
}

async function upload(file: File): Promise<void> {
  const picture = await squared(file).catch(() => {
    throw { code: 'media_mismatch' };
  });
  const filename = `picture.${picture.type.split('/')[1]}`;
  await client.updateMe({ avatar_media_id: await client.uploadAvatar(picture, { filename }).done });
}
