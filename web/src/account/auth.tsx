// Sign up and log in.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { codeOf, explain } from '@/app/errors';
import { session } from '@/app/session';
import { i18n, LANGUAGES, t, type Language } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { Field } from '@/ui/dialog';

// What a field says of itself before the server is asked, in the words for what the server would say.
const CODE_OF_FIELD: Record<string, string> = { username: 'invalid_username', email: 'invalid_email', password: 'invalid_password' };
const FIELD_OF_CODE: Record<string, string> = {
  invalid_username: 'username', username_taken: 'username', invalid_email: 'email', email_taken: 'email',
  invalid_password: 'password', invalid_credentials: 'password',
};

export function Auth({ ended }: { ended: boolean }) {
  const [isNew, setNew] = useState(!session.wasHere);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  useLayoutEffect(() => form.current!.querySelector('input')!.focus(), [isNew]);
  const wrong = error ? (error as { field?: string }).field ?? FIELD_OF_CODE[codeOf(error)] : undefined;
  useLayoutEffect(() => {
    if (wrong) form.current!.querySelector<HTMLInputElement>(`[name=${wrong}]`)?.focus();
  }, [error]);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const value = (name: string) => String(new FormData(form.current!).get(name) ?? '');
    const faulty = [...form.current!.querySelectorAll('input')].find((input) => !input.validity.valid);
    if (faulty) return setError({ code: faulty.value ? CODE_OF_FIELD[faulty.name] : 'missing', field: faulty.name });
    setBusy(true);
    setError(null);
    try {
      const [username, password] = [value('username').trim(), value('password')];
      if (isNew) await session.signUp({ username, email: value('email').trim(), password });
      else await session.logIn({ ...(username.includes('@') ? { email: username } : { username }), password });
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  };
  const choose = (next: boolean) => {
    setNew(next);
    setError(null);
  };
  const said = (name: string) => ({ name, error: wrong === name ? explain(error) : undefined });
  const input = (name: string, more: object) => (
    <input id={`field-${name}`} name={name} class="input" required aria-invalid={wrong === name || undefined}
      aria-describedby={wrong === name ? `hint-${name}` : undefined} {...more} />
  );
  const name = { autocomplete: 'username', autocapitalize: 'none', spellcheck: false };
  return (
    <main class="auth">
      <div class="auth-card">
        <div class="brand"><img src="/favicon.svg" alt="" width="40" height="40" /><h1>Parley</h1></div>
        <p class="auth-lead">{isNew ? t('authLeadNew') : t('authLead')}</p>
        {ended && <p class="notice" role="status">{t('sessionEnded')}</p>}
        <div class="segments" role="group" aria-label={t('logInOrSignUp')}>
          <button type="button" class="segment" aria-pressed={isNew} onClick={() => choose(true)}>{t('signUp')}</button>
          <button type="button" class="segment" aria-pressed={!isNew} onClick={() => choose(false)}>{t('logIn')}</button>
        </div>
        <form class="form" ref={form} key={String(isNew)} noValidate onSubmit={(event) => void submit(event as SubmitEvent)}>
          {isNew ? (
            <>
              <Field {...said('username')} label={t('name')} hint={t('nameHint')}>
                {input('username', { ...name, minlength: 3, maxlength: 20, 'aria-describedby': 'hint-username' })}
              </Field>
              <Field {...said('email')} label={t('email')}>{input('email', { type: 'email', autocomplete: 'email' })}</Field>
              <Field {...said('password')} label={t('password')} hint={t('passwordHint')}>
                {input('password', { type: 'password', autocomplete: 'new-password', minlength: 8, maxlength: 128,
                  'aria-describedby': 'hint-password' })}
              </Field>
            </>
          ) : (
            <>
              <Field {...said('username')} label={t('emailOrName')}>{input('username', name)}</Field>
              <Field {...said('password')} label={t('password')}>
                {input('password', { type: 'password', autocomplete: 'current-password' })}
              </Field>
            </>
          )}
          <p class="form-error" role="alert">{error && !wrong ? explain(error) : ''}</p>
          <Button type="submit" kind="primary wide" disabled={busy}>{isNew ? t('createAccount') : t('logIn')}</Button>
        </form>
      </div>
      <LanguageChoice />
    </main>
  );
}

export function LanguageChoice({ id = 'language' }: { id?: string }) {
  return (
    <select
      id={id} class="select" aria-label={t('language')} value={i18n.language}
      onChange={(event) => void i18n.use(event.currentTarget.value as Language, true)}
    >
      {Object.entries(LANGUAGES).map(([code, label]) => <option key={code} value={code} lang={code}>{label}</option>)}
    </select>
  );
}
