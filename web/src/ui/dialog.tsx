// Dialogs are <dialog>: the browser keeps the focus inside, closes on Escape and gives the focus back.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { explain } from '@/app/errors';
import { t } from '@/i18n/i18n';
import { Button, IconButton } from './button';
import { useLatest } from './hooks';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
  /** No head: the content brings its own name. */
  bare?: boolean;
}

export function Dialog({ title, onClose, children, class: more = '', bare = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const close = useLatest(onClose);
  useLayoutEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    const first = dialog.querySelector<HTMLElement>('[data-focus], input:not([tabindex="-1"]), textarea, select');
    first?.focus();
    return () => {
      dialog.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref} class={`dialog ${more}`} aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onMouseDown={(event) => event.target === ref.current && close()}
    >
      <div class="dialog-body">
        {!bare && (
          <header class="dialog-head">
            <h2>{title}</h2>
            <IconButton icon="close" label={t('close')} onClick={close} />
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}

interface FormDialogProps extends DialogProps {
  action: string;
  danger?: boolean;
  /** Throws what is to be explained. */
  run: (form: HTMLFormElement) => Promise<unknown>;
}

/** A dialog that asks for something and does it, or says why not. */
export function FormDialog({ action, danger = false, run, onClose, children, ...rest }: FormDialogProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      await run(event.currentTarget as HTMLFormElement);
      onClose();
    } catch (thrown) {
      setError(explain(thrown));
      setBusy(false);
    }
  };
  return (
    <Dialog onClose={onClose} {...rest}>
      <form class="form" onSubmit={(event) => void submit(event as SubmitEvent)}>
        {children}
        <p class="form-error" role="alert">{error}</p>
        <footer class="dialog-foot">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} disabled={busy} data-focus={danger || undefined}>
            {action}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

interface FieldProps {
  label: string;
  hint?: string;
  name: string;
  /** What is wrong with it, in the place of the hint. */
  error?: string;
  children: ComponentChildren;
}

export function Field({ label, hint, name, error, children }: FieldProps) {
  return (
    <div class="field">
      <label for={`field-${name}`}>{label}</label>
      {children}
      {error ? <p class="form-error" id={`hint-${name}`} role="alert">{error}</p>
        : hint && <p class="hint" id={`hint-${name}`}>{hint}</p>}
    </div>
  );
}
