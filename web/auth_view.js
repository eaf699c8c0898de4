// Sign up and log in.
import { h } from './dom.js';
import { explain } from './errors.js';

const fieldOfCode = {
  invalid_username: 'username', username_taken: 'username', invalid_email: 'email', email_taken: 'email',
  invalid_password: 'password', invalid_credentials: 'password',
};

export function authView({ api, onSignedIn, notice }) {
  let mode = localStorage.getItem('parley.was-here') ? 'in' : 'up';
  const root = h('main', { class: 'auth' });

  function show() {
    const isNew = mode === 'up';
    const error = h('p', { class: 'form-error', role: 'alert' });
    const submit = h('button', { class: 'button primary', type: 'submit' },
      isNew ? 'Create account' : 'Log in');
    const fields = isNew
      ? [
        field('username', 'Name', { autocomplete: 'username', minlength: 3, maxlength: 20, autocapitalize: 'none',
          spellcheck: 'false' }, '3 to 20 letters or digits; _ . - are fine'),
        field('email', 'E-mail', { type: 'email', autocomplete: 'email' }),
        field('password', 'Password', { type: 'password', autocomplete: 'new-password', minlength: 8,
          maxlength: 128 }, 'At least 8 characters'),
      ]
      : [
        field('username', 'E-mail or name', { autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' }),
        field('password', 'Password', { type: 'password', autocomplete: 'current-password' }),
      ];

    async function send(event) {
      event.preventDefault();
      const value = (name) => form.elements[name].value;
      error.textContent = '';
      form.querySelectorAll('[aria-invalid]').forEach((n) => n.removeAttribute('aria-invalid'));
      submit.disabled = true;
      submit.textContent = isNew ? 'Creating…' : 'Logging in…';
      try {
        if (isNew) await api.signUp(value('username').trim(), value('email').trim(), value('password'));
        else await api.logIn(value('username').trim(), value('password'));
        localStorage.setItem('parley.was-here', '1');
        onSignedIn();
      } catch (failure) {
        error.textContent = explain(failure);
        const wrong = form.elements[fieldOfCode[failure.code]];
        wrong?.setAttribute('aria-invalid', 'true');
        wrong?.focus();
        submit.disabled = false;
        submit.textContent = isNew ? 'Create account' : 'Log in';
      }
    }

    const form = h('form', { class: 'form', onsubmit: send }, fields, error, submit);
    const tab = (name, text) => h('button', {
      type: 'button', class: 'segment', 'aria-pressed': String(mode === name),
      onclick: () => { mode = name; show(); },
    }, text);
    root.replaceChildren(h('div', { class: 'auth-card' },
      h('div', { class: 'brand' }, h('img', { src: '/favicon.svg', alt: '', width: 40, height: 40 }),
        h('h1', {}, 'Parley')),
      h('p', { class: 'muted' }, isNew ? 'Make an account and start talking.' : 'Good to see you again.'),
      notice ? h('p', { class: 'notice', role: 'status' }, notice) : null,
      h('div', { class: 'segments', role: 'group', 'aria-label': 'Log in or sign up' },
        tab('up', 'Sign up'), tab('in', 'Log in')),
      form));
    form.elements.username.focus();
  }

  show();
  return root;
}

function field(name, label, props, hint) {
  const hintId = hint ? `${name}-hint` : null;
  return h('div', { class: 'field' },
    h('label', { for: `auth-${name}` }, label),
    h('input', { id: `auth-${name}`, name, required: true, 'aria-describedby': hintId, ...props }),
    hint ? h('p', { class: 'hint', id: hintId }, hint) : null);
}
