import { words as en, type AdminWords } from './admin-en';

export const words: AdminWords = { ...en };
