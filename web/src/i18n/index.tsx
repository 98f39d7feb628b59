// The languages of the pages: which one is spoken, its texts, and how it writes times and numbers.

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { de } from "./de";
import { en } from "./en";

export const LOCALES = ["en", "de"] as const;
export type Locale = (typeof LOCALES)[number];

/** The same texts in each language. */
export type Texts<T> = Record<Locale, T>;

/** The name of each language, in itself. */
export const LANGUAGE_NAMES: Texts<string> = { en: "English", de: "Deutsch" };

export type { Messages } from "./en";

const SHARED = { en, de };
const CHOICE = "hallpass-language";

interface Language {
  locale: Locale;
  /** Remembers in this browser what was chosen here; `null` forgets it, and the account's language counts again. */
  choose: (locale: Locale | null) => void;
  /** Remembers the choice again: with signing out, the browser forgets what it kept. */
  keep: () => void;
  /** Says which language the account has. */
  setAccountLocale: (locale: string | null) => void;
}

const LanguageContext = createContext<Language>({
  locale: "en",
  choose: () => {},
  keep: () => {},
  setAccountLocale: () => {},
});

/** The first of `wanted` (BCP 47 tags) that the pages speak; English if there is none. */
export function pickLocale(wanted: readonly (string | null)[]): Locale {
  for (const tag of wanted) {
    const language = tag?.toLowerCase().split("-")[0];
    const locale = LOCALES.find((known) => known === language);
    if (locale) return locale;
  }
  return "en";
}

function readChoice(): Locale | null {
  try {
    return LOCALES.find((known) => known === localStorage.getItem(CHOICE)) ?? null;
  } catch {
    return null; // Storage is switched off: the choice lasts as long as the page.
  }
}

function writeChoice(locale: Locale | null) {
  try {
    if (locale) localStorage.setItem(CHOICE, locale);
    else localStorage.removeItem(CHOICE);
  } catch {
    // As above.
  }
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState(readChoice);
  const [accountLocale, setAccountLocale] = useState<string | null>(null);
  const locale = pickLocale([choice, accountLocale, ...navigator.languages]);
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  const language = useMemo(() => {
    const choose = (chosen: Locale | null) => {
      writeChoice(chosen);
      setChoice(chosen);
    };
    return { locale, choose, keep: () => writeChoice(choice), setAccountLocale };
  }, [locale, choice]);
  return <LanguageContext value={language}>{children}</LanguageContext>;
}

export function useLanguage(): Language {
  return useContext(LanguageContext);
}

/** What of `texts` is in the language that is spoken. */
export function useTexts<T>(texts: Texts<T>): T {
  return texts[useLanguage().locale];
}

/** The texts of the hosted pages, and those that all pages share. */
export function useMessages() {
  return useTexts(SHARED);
}

/** How the language writes times (seconds since 1970) and numbers. */
export function useFormats() {
  const { locale } = useLanguage();
  return useMemo(() => {
    const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
    const date = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
    const number = new Intl.NumberFormat(locale);
    return {
      dateTime: (seconds: number) => dateTime.format(seconds * 1000),
      date: (seconds: number) => date.format(seconds * 1000),
      number: (value: number) => number.format(value),
      ago: (seconds: number, now: number) => ago(locale, seconds, now),
    };
  }, [locale]);
}

const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** How long before `now` something was, in words; both in seconds since 1970. */
export function ago(locale: Locale, seconds: number, now: number): string {
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const unit = UNITS.find(([, length]) => Math.abs(seconds - now) >= length);
  return unit ? words.format(Math.trunc((seconds - now) / unit[1]), unit[0]) : words.format(0, "second");
}
