// Files that were chosen, above the text that goes with them.
import { bytes } from '@/i18n/dates';
import { t } from '@/i18n/i18n';
import { IconButton } from '@/ui/button';
import { Icon } from '@/ui/icon';
import { unstage, type Staged } from './outgoing';

export function StagedFiles({ files, onChange }: { files: Staged[]; onChange: (files: Staged[]) => void }) {
  const remove = (staged: Staged) => {
    unstage(staged);
    onChange(files.filter((each) => each !== staged));
  };
  return (
    <ul class="staged" aria-label={t('chosenFiles')}>
      {files.map((staged) => (
        <li key={staged.key} class="staged-file">
          {staged.preview ? <img src={staged.preview} alt="" /> : <span class="file-icon"><Icon name="file" /></span>}
          <span class="staged-text">
            <span class="file-name ellipsis" dir="auto">{staged.file.name}</span>
            <span class="hint">{bytes(staged.file.size)}</span>
          </span>
          <IconButton icon="close" label={t('removeFile', { name: staged.file.name })} onClick={() => remove(staged)} />
        </li>
      ))}
    </ul>
  );
}
