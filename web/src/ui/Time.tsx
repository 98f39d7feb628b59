import { useFormats } from "../i18n";

interface TimeProps {
  /** Seconds since 1970. */
  at: number;
  /** In words, "5 minutes ago"; the exact time is then in the tooltip. */
  relative?: boolean;
}

/** A time, as the language writes it. */
export function Time({ at, relative = false }: TimeProps) {
  const formats = useFormats();
  const exact = formats.dateTime(at);
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={relative ? exact : undefined}>
      {relative ? formats.ago(at, Date.now() / 1000) : exact}
    </time>
  );
}
