import type { ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './icon';

type ButtonProps = JSX.ButtonHTMLAttributes<HTMLButtonElement> & { children?: ComponentChildren };

export function Button({ kind = '', class: more = '', ...rest }: ButtonProps & { kind?: string; class?: string }) {
  return <button type="button" class={`button ${kind} ${more}`} {...rest} />;
}

/** A button that shows only a picture; `label` is its name, and its tooltip. */
export function IconButton({ icon, label, class: more = '', ...rest }:
  ButtonProps & { icon: IconName; label: string; class?: string }) {
  return (
    <button type="button" class={`icon-button ${more}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
