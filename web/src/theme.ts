// How the pages look: one colour, which the operator may choose, and what follows from it.

import {
  type CSSVariablesResolver,
  type MantineColorsTuple,
  type MantineThemeOverride,
  createTheme,
} from "@mantine/core";

/** Without a colour of the operator's. */
const COLOR = "#3f55c6";

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** The ground in dark pages: `dark.6`, the lightest that text stands on. */
const DARK: Rgb = [46, 46, 46];
/** What text needs at least (WCAG 2.2, 1.4.3). */
const READABLE = 4.5;

/** `#rrggbb` or `#rgb`; the default for anything else. */
export function parseColor(color: string | null): Rgb {
  const hex = color?.match(/^#([0-9a-f]{3}|[0-9a-f]{6})$/i)?.[1];
  if (!hex) return parseColor(COLOR);
  const full = hex.length === 3 ? hex.replaceAll(/./g, "$&$&") : hex;
  const part = (at: number) => Number.parseInt(full.slice(at, at + 2), 16);
  return [part(0), part(2), part(4)];
}

function toHex(color: Rgb): string {
  return `#${color.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** `color` with a share (0 to 1) of `other` in it. */
function mix(color: Rgb, other: Rgb, share: number): Rgb {
  const part = (at: 0 | 1 | 2) => color[at] + (other[at] - color[at]) * share;
  return [part(0), part(1), part(2)];
}

/** WCAG 2.2, "relative luminance". */
function luminance(color: Rgb): number {
  const linear = (part: number) => (part <= 10.31475 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2]);
}

/** WCAG 2.2, "contrast ratio". */
export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** `color`, moved towards `end` until text in it can be read on `ground`. */
function readable(color: Rgb, ground: Rgb, end: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(color, end, share);
    if (contrast(mixed, ground) >= READABLE) return mixed;
  }
  return end;
}

/** Ten shades, the lightest first; the colour itself is the seventh. */
export function shades(color: Rgb): MantineColorsTuple {
  const lighter = [0.93, 0.84, 0.68, 0.52, 0.36, 0.18].map((share) => toHex(mix(color, WHITE, share)));
  const darker = [0.12, 0.24, 0.36].map((share) => toHex(mix(color, BLACK, share)));
  return [...lighter, toHex(color), ...darker] as unknown as MantineColorsTuple;
}

/** Text in the colour, for light and for dark pages; on a light tint of itself too. */
export function inks(color: Rgb): { light: string; dark: string } {
  const tint = mix(WHITE, color, 0.16);
  const shade = mix(DARK, color, 0.15);
  return { light: toHex(readable(color, tint, BLACK)), dark: toHex(readable(color, shade, WHITE)) };
}

export function makeTheme(color: string | null): MantineThemeOverride {
  return createTheme({
    colors: { brand: shades(parseColor(color)) },
    primaryColor: "brand",
    primaryShade: 6,
    // Black or white on the colour, whichever can be read better: their contrasts meet at this luminance.
    autoContrast: true,
    luminanceThreshold: 0.179,
    defaultRadius: "md",
    cursorType: "pointer",
    respectReducedMotion: true,
    focusRing: "auto",
    fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif",
    headings: { fontWeight: "650" },
    // Elsewhere than in a part of the page, a `header` is a landmark of the whole page.
    components: { ModalHeader: { defaultProps: { component: "div" } } },
  });
}

/** Mantine's own cannot be read on light tints of themselves, nor on white. */
const LIGHT_INKS = {
  "--mantine-color-dimmed": "#5c636a",
  "--mantine-color-error": "#c92a2a",
  "--mantine-color-red-text": "#c92a2a",
  "--mantine-color-red-outline": "#c92a2a",
  "--mantine-color-red-light-color": "#b02525",
  "--mantine-color-orange-light-color": "#9a3606",
  "--mantine-color-teal-light-color": "#06664a",
};

/** Colours that can be read: the operator's as text, dimmed text, and errors. */
export function makeVariables(color: string | null): CSSVariablesResolver {
  const ink = inks(parseColor(color));
  const variables = (text: string) => ({
    "--mantine-color-anchor": text,
    "--mantine-color-brand-text": text,
    "--mantine-color-brand-light-color": text,
    "--mantine-color-brand-outline": text,
  });
  return () => ({
    variables: {},
    light: { ...variables(ink.light), ...LIGHT_INKS },
    dark: { ...variables(ink.dark), "--mantine-color-dimmed": "#a6a7ab", "--mantine-color-error": "#ff9a9a" },
  });
}
