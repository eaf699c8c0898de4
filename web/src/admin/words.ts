// Words of this page, in the language of the interface, and errors in them.
import { explain } from '@/app/errors';
import { words as en, type AdminWords } from '@/i18n/admin-en';
import { fill, i18n, type Language } from '@/i18n/i18n';

const LOADERS: Record<Exclude<Language, 'en'>, () => Promise<{ words: AdminWords }>> = {
  de: () => import('@/i18n/admin-de'),
  ja: () => import('@/i18n/admin-ja'),
  ar: () => import('@/i18n/admin-ar'),
};

export type AdminWord = keyof AdminWords;
type Vars = Record<string, string | number>;

let words: AdminWords = en;

export async function loadWords(): Promise<void> {
  const { language } = i18n;
  words = language === 'en' ? en : (await LOADERS[language]()).words;
}

export function a(word: AdminWord, vars?: Vars): string {
  return fill(words[word], vars);
}

/** `word` is what stands before `_one` and `_other`. */
export function an(word: string, n: number): string {
  const all = words as Record<string, string>;
  const form = new Intl.PluralRules(i18n.language).select(n);
  return fill(all[`${word}_${form}`] ?? all[`${word}_other`] ?? word, { n: i18n.number(n) });
}

/** Where a room's owners are no help, unlike in a chat. */
export function explainHere(thrown: unknown): string {
  return (thrown as { code?: string }).code === 'forbidden' ? a('forbidden') : explain(thrown);
}

/** For dialogs, which explain what is thrown. */
export class Told extends Error {
  readonly code = 'told';
  constructor(readonly detail: string) {
    super(detail);
  }
}

export async function told<Value>(work: Promise<Value>): Promise<Value> {
  return work.catch((thrown) => {
    throw new Told(explainHere(thrown));
  });
}
