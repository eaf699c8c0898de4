// What a client says that it is, in words that a person knows it by.
import { t } from '@/i18n/i18n';

// The first that fits; what claims to be another one stands before that one.
const BROWSERS: [RegExp, string][] = [
  [/\bEdgA?\//, 'Edge'], [/\b(OPR|Opera)\//, 'Opera'], [/\bSamsungBrowser\//, 'Samsung Internet'], [/\bVivaldi\//, 'Vivaldi'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'], [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'], [/\bSafari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'], [/\biPad\b/, 'iPad'], [/\bAndroid\b/, 'Android'], [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'], [/\bMac OS X\b|\bMacintosh\b/, 'Mac'], [/\bLinux\b/, 'Linux'],
];

const first = (list: [RegExp, string][], text: string) => list.find(([pattern]) => pattern.test(text))?.[1];

export function deviceName(userAgent = ''): string {
  const browser = first(BROWSERS, userAgent);
  const system = first(SYSTEMS, userAgent);
  if (browser && system) return t('browserOn', { browser, system });
  // A program by the name that it gives itself: "python-httpx/0.28.1" is python-httpx.
  return browser ?? system ?? (/^[\w .-]{1,40}(?=\/|$)/.exec(userAgent)?.[0] || t('unknownDevice'));
}
