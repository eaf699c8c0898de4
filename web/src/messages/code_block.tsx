import { copy } from '@/account/settings';
import { t } from '@/i18n/i18n';
import { IconButton } from '@/ui/button';

export function CodeBlock({ text, language }: { text: string; language: string }) {
  return (
    <div class="code-block" dir="ltr">
      <pre tabIndex={0} aria-label={language || t('code')}><code>{text}</code></pre>
      <IconButton icon="copy" label={t('copyCode')} tabIndex={-1} onClick={() => void copy(text, t('copied'))} />
    </div>
  );
}
