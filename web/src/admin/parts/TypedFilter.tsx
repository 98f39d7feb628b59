import { TextInput, type TextInputProps } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";

/** Milliseconds without a key after which a search begins. */
const PAUSE = 300;

interface TypedFilterProps extends Omit<TextInputProps, "value" | "onChange"> {
  /** What the address says. */
  value: string;
  /** Somebody has typed something else. */
  onValue: (typed: string) => void;
}

/** A field whose text goes to the address once somebody pauses, and comes back from there. */
export function TypedFilter({ value, onValue, ...props }: TypedFilterProps) {
  const [typed, setTyped] = useState(value);
  const said = useRef(value);
  const say = useDebouncedCallback((text: string) => {
    said.current = text.trim();
    onValue(said.current);
  }, PAUSE);
  useEffect(() => {
    // What we said ourselves is older than what was typed since.
    if (value !== said.current) setTyped(value);
    said.current = value;
  }, [value]);
  const type = (text: string) => {
    setTyped(text);
    say(text);
  };
  return <TextInput {...props} value={typed} onChange={(event) => type(event.currentTarget.value)} />;
}
