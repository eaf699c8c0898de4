import { explain } from '@/app/errors';
import { bytes } from '@/i18n/dates';
import { i18n, t } from '@/i18n/i18n';
import { IconButton } from '@/ui/button';
import { useEvent } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { outgoing, type OutgoingFile } from './outgoing';

export function OutgoingCard({ file }: { file: OutgoingFile }) {
  const { upload, content, preview } = file;
  useEvent(upload, 'change');
  const failed = upload.state === 'failed';
  const part = upload.total ? upload.loaded / upload.total : 0;
  const percent = new Intl.NumberFormat(i18n.locale, { style: 'percent' }).format(part);
  return (
    <>
      {content && <p class="content" dir="auto">{content}</p>}
      <div class={`file-card outgoing ${failed ? 'is-failed' : ''}`}>
        {preview ? <img class="file-thumb" src={preview} alt="" /> : <span class="file-icon"><Icon name="file" /></span>}
        <div class="grow">
          <p class="file-name ellipsis" dir="auto">{file.file.name}</p>
          {failed ? <p class="form-error" role="alert">{explain(upload.error)}</p> : (
            <>
              <progress max={1} value={part} aria-label={t('uploading', { name: file.file.name })} />
              <p class="hint">{percent} · {bytes(upload.total)}</p>
            </>
          )}
        </div>
        {failed && <IconButton icon="retry" label={t('tryAgain')} onClick={() => outgoing.retry(file)} />}
        <IconButton icon="close" label={t('cancelUpload')} onClick={() => outgoing.cancel(file)} />
      </div>
    </>
  );
}
