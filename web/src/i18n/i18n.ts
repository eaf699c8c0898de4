// Words of the interface. English is built in; another language is fetched when somebody wants it.
import { Emitter } from '@/app/emitter';
import { en, type Words } from './en';

export const LANGUAGES = { en: 'English', de: 'Deutsch', ja: '日本語', ar: 'العربية' } as const;
export type Language = keyof typeof LANGUAGES;
export type Word = keyof Words;

const LOADERS: Record<Exclude<Language, 'en'>, () => Promise<{ words: Words }>> = {
  de: () => import('./lang-de'),
  ja: () => import('./lang-ja'),
  ar: () => import('./lang-ar'),
};
const KEY = 'parley.language';

type Vars = Record<string, string | number>;

class I18n extends Emitter<{ change: void }> {
  language: Language = 'en';
  #words: Words = en;
  #plural = new Intl.PluralRules('en');
  #formats = new Map<string, Intl.DateTimeFormat>();

  get direction(): 'ltr' | 'rtl' {
    return this.language === 'ar' ? 'rtl' : 'ltr';
  }

  /** With the region of the browser where its language is the same: how dates and numbers look. */
  get locale(): string {
    return navigator.languages.find((each) => each.split('-')[0] === this.language) ?? this.language;
  }

  async start(): Promise<void> {
    const wanted = [localStorage.getItem(KEY), ...navigator.languages.map((each) => each.split('-')[0])];
    const found = wanted.find((each): each is Language => each !== null && each !== undefined && each in LANGUAGES);
    await this.use(found ?? 'en').catch(() => this.use('en')); // no connection, and never fetched before
  }

  async use(language: Language, remember = false): Promise<void> {
    this.#words = language === 'en' ? en : (await LOADERS[language]()).words;
    this.language = language;
    this.#plural = new Intl.PluralRules(language);
    this.#formats.clear();
    document.documentElement.lang = language;
    document.documentElement.dir = this.direction;
    if (remember) localStorage.setItem(KEY, language);
    this.emit('change', undefined);
  }

  text(word: Word, vars?: Vars): string {
    return fill(this.#words[word] ?? en[word], vars);
  }

  /** `word` is what stands before `_one` and `_other`; other forms of the language are used where it has them. */
  count(word: string, n: number, vars?: Vars): string {
    const words = this.#words as Record<string, string>;
    const text = words[`${word}_${this.#plural.select(n)}`] ?? words[`${word}_other`] ?? word;
    return fill(text, { n: this.number(n), ...vars });
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.locale).format(value);
  }

  date(value: string | number, name: string, options: Intl.DateTimeFormatOptions): string {
    let format = this.#formats.get(name);
    if (!format) this.#formats.set(name, (format = new Intl.DateTimeFormat(this.locale, options)));
    return format.format(new Date(value));
  }
}

export function fill(text: string, vars?: Vars): string {
  return vars ? text.replace(/\{(\w+)\}/g, (whole, name) => String(vars[name] ?? whole)) : text;
}

export const i18n = new I18n();
export const t = i18n.text.bind(i18n);
export const tn = i18n.count.bind(i18n);
